import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { given, named } from '../http/recognize.ts'
import { remoteEngine, serverUrl } from '../http/remote.ts'
import { tritonDialect } from './dialect.ts'

/** Triton Inference Server. */
export const definition: EngineDefinition<components['schemas']['TritonPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: {
    external: {
      description: 'A Triton Inference Server.',
      schemes: ['served:', 'triton:'],
      remote: true,
      recognize: async (ask) =>
        given(await ask('/v2'))['name'] === 'triton' ? named(await ask('/v2/repository/index', { ready: true }), 'name') : undefined,
    },
  },
  features: ['replayable', 'stop_sequences'],
  create: (parts) => {
    const { pool, replica } = parts
    return remoteEngine(parts, tritonDialect(pool.model, pool.ctx), serverUrl(pool, replica).replace(/\/$/, ''))
  },
}
