import assert from 'node:assert/strict'
import { configAjv } from '../../scripts/codegen/config-validator.ts'
import { configSchema, definitionsOf } from '../../scripts/codegen/config-schema.ts'
import { configTypes } from '../../scripts/codegen/config.ts'
import { engines } from '../../src/adapters/engines/registry.ts'
import { coreOf } from '../../src/compose/core.ts'
import { enginesOf } from '../../src/compose/engines.ts'
import { modelsOf } from '../../src/compose/models.ts'
import { checkConfig, type Rules } from '../../src/config/check.ts'
import type { Config } from '../../src/config/config.ts'
import type { TaskRequest } from '../../src/domain/task.ts'
import { resumePoint } from '../../src/doors/native/event-id.ts'
import { nativeFormat } from '../../src/doors/native/frames.ts'
import type { EngineRegistry } from '../../src/ports/engine-definition.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { MemoryStorage } from '../harness/memory-storage.ts'
import { ann, Tail, taskOf } from '../harness/rig.ts'

/** The whole change that a new engine is, beside its folder. */
const registry: EngineRegistry = { ...engines, fake: () => import('./fake/definition.ts') }

const nothing = (): void => undefined
const log = { info: nothing, warn: nothing, error: nothing }
const metrics = { count: nothing, gauge: nothing, observe: nothing, forget: nothing }

describe('a new engine is one folder and one line', () => {
  let rules: Rules
  let schema: ReturnType<typeof configSchema>

  // What codegen does once the line is there.
  before(async () => {
    const definitions = await definitionsOf(registry)
    schema = configSchema(definitions)
    const validate = configAjv(schema).getSchema('validateConfig')
    assert.ok(validate !== undefined && !('$async' in validate))
    rules = { validate: validate as Rules['validate'], schema, engines: Object.fromEntries(definitions) }
  })

  const pool = (fields: object = {}): object => ({ id: 'f', engine: 'fake', driver: 'puppet', model: 'fake:x', ctx: 64, ...fields })
  const check = (...pools: object[]): Config => checkConfig({ pools }, rules)
  const refuses = (fields: object, message: string): void => assert.throws(() => check(pool(fields)), { name: 'ConfigError', message })

  it('its options have their defaults, and those of every pool', () => {
    const [filled] = check(pool({ fake: { times: 3 } })).pools as readonly object[]
    const common = { replicas: [{ id: 'r0', devices: [] }], queue: { capacity: 64, full_policy: 'reject', batch_every: 8 } }
    const timeouts = { wall_ms: 120_000, idle_ms: 30_000, abort_ms: 5000, start_ms: 120_000, tokenize_ms: 500 }
    assert.deepEqual(filled, { ...pool(), ...common, timeouts, fake: { answer: 'yes', times: 3 } })
  })

  it('its options, drivers and references are checked', () => {
    refuses({ fake: { times: 10 } }, 'pools[0].fake.times: 10 must be <= 9')
    refuses({ fake: { anwser: 'no' } }, 'pools[0].fake.anwser: is not known here; did you mean answer?')
    refuses({ driver: 'pupet' }, 'pools[0].driver: "pupet" is not a driver of fake; allowed are puppet, ghost; did you mean puppet?')
    refuses(
      { engine: 'fakee' },
      `pools[0].engine: "fakee" is not an engine; allowed are ${Object.keys(registry).join(', ')}; did you mean fake?`,
    )
    refuses(
      { model: 'catalog:x' },
      'pools[0].model: "catalog:x" is nothing that fake serves by driver puppet; a reference begins with fake:',
    )
    check(pool({ driver: 'ghost', model: 'catalog:x' }))
  })

  it('its pools have a type', async () => {
    const types = await configTypes(schema)
    assert.match(types, /readonly FakePool: components\["schemas"\]\["FakePuppetPool"\] \| components\["schemas"\]\["FakeGhostPool"\]/)
    assert.match(types, /readonly fake: components\["schemas"\]\["FakeOptions"\]/)
  })

  it('a task runs on it', async () => {
    const config = check(pool({ fake: { answer: 'no ' } }))
    const clock = new FakeClock()
    const engines = await enginesOf({ config, clock, log, registry })
    const core = await coreOf({ config, storage: new MemoryStorage(), engines, models: modelsOf(config, clock), clock, metrics, log })
    await core.start()
    const task = { ...taskOf({ task_id: 't', model_ref: 'fake:x', ctx: 64 }), engine: 'fake' }
    await core.admission.admit(ann, task as unknown as TaskRequest, 'c1')
    await settled()
    const from = resumePoint(undefined)
    assert.ok(from !== undefined)
    const reader = (await core.streams.open(ann, 't', from, nativeFormat))?.reader
    assert.ok(reader !== undefined)
    const { text, end } = new Tail(reader)
    assert.equal(text, 'no no ')
    assert.equal(end?.['tokens_out'], 2)
    await core.quiesce(0)
    await core.stop()
  })

  it('an engine says of itself no feature that its definition does not have', async () => {
    const { definition } = await engines.mock()
    const config = checkConfig({ pools: [{ id: 'm', engine: 'mock', driver: 'in-process', model: 'mock:v1', ctx: 8 }] })
    const factory = await enginesOf({ config, clock: new FakeClock(), log })
    const [pool] = config.pools
    assert.ok(pool !== undefined)
    const engine = factory(pool, { id: 'r0', slots: 1, devices: [] }, () => Promise.reject(new Error('there is no model')))
    const props = await engine.start(nothing)
    assert.deepEqual(
      [...props.features, 'replayable'].filter((feature) => !definition.features.some((one) => one === feature)),
      [],
    )
    await engine.stop()
  })

  it('an engine that no pool uses is not loaded', async () => {
    const asked: string[] = []
    const watched = Object.fromEntries(Object.entries(registry).map(([name, load]) => [name, () => (asked.push(name), load())] as const))
    await enginesOf({ config: check(pool(), pool({ id: 'g' })), clock: new FakeClock(), log, registry: watched })
    assert.deepEqual(asked, ['fake'])
  })
})
