import type { components } from '../../../generated/config.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import type { EngineDefinition, EngineParts } from '../../../src/ports/engine-definition.ts'

/** Codegen would write this type, with the words of the engine. */
type FakePool = components['schemas']['Pool'] & { readonly ctx: number; readonly fake: { readonly answer: string; readonly times: number } }

/** An engine that says what its options say. */
const fakeEngine = ({ pool, replica }: EngineParts<FakePool>): Engine => ({
  start: () =>
    Promise.resolve({
      ...{ engine_version: `fake-${pool.driver}`, ctx_max: pool.ctx, slots: replica.slots ?? 1, workloads: ['completion'] },
      ...{ replayable: true, features: [] },
    }),
  countTokens: () => Promise.resolve(1),
  generate: (_request, onPart) => {
    const { answer, times } = pool.fake
    for (let i = 0; i < times; i++) onPart({ kind: 'text', text: answer })
    return Promise.resolve({ finish_reason: 'stop', tokens_in: 1, tokens_out: times, kv_warm: false })
  },
  stop: () => Promise.resolve(),
})

export const definition: EngineDefinition<FakePool> = {
  options: new URL('options.json', import.meta.url),
  drivers: {
    puppet: { description: 'On strings.', schemes: ['fake:'] },
    ghost: { description: 'On nothing.', schemes: ['fake:', 'catalog:'] },
  },
  features: ['replayable'],
  create: fakeEngine,
}
