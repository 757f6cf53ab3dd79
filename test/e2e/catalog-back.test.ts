import assert from 'node:assert/strict'
import { CatalogWorld, manifestOf, modelRequest } from '../harness/catalog.ts'
import { keys, mockTask, talesPool } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import type { Answer } from '../harness/http.ts'
import { ScriptedEngine } from '../harness/scripted-engine.ts'
import { StreamClient } from '../harness/sse.ts'
import { until, untilAnswer } from '../harness/wait.ts'

const bytes = Buffer.from('a model')
const model = modelRequest('tales', 'file:tales.gguf', [manifestOf('tales.gguf', bytes)])

describe('a catalog model that is retired', () => {
  let world: CatalogWorld
  let clock: FakeClock
  let engine: ScriptedEngine
  const state = (fields: Record<string, unknown>): Promise<Answer> => world.ask('POST', '/v1/catalog/models/tales/state', fields)
  const task = (): ReturnType<typeof mockTask> => mockTask({ engine: 'llamacpp', model_ref: 'catalog:tales', ctx: 256, prompt: 'Once' })
  const post = (body = task()): Promise<Answer> => world.ask('POST', '/v1/tasks', body)
  const health = async (): Promise<{
    readonly ready: boolean
    readonly draining: boolean
    readonly replicas: readonly { state: string }[]
  }> => (await world.ask('GET', '/v1/pools/tales/health')).json as never
  const untilReplica = (wanted: string): Promise<unknown> => untilAnswer(health, ({ replicas }) => replicas[0]?.state === wanted)
  const running = async (): Promise<StreamClient> => {
    const body = task()
    assert.equal((await post(body)).status, 202)
    await until(() => engine.running.length === 1)
    engine.call.say('once')
    const client = await StreamClient.open(world.daemon.url, body.task_id, keys.all)
    await client.until(({ tokens }) => tokens.length > 0)
    return client
  }
  beforeEach(async () => {
    world = new CatalogWorld()
    clock = new FakeClock()
    engine = new ScriptedEngine()
    world.write('tales.gguf', bytes)
    await world.start(
      {},
      { clock, engines: () => engine },
      { pools: [talesPool({ model: 'catalog:tales', replicas: [{ id: 'r0', slots: 1 }] })] },
    )
    await world.settled(model)
    await untilReplica('ready')
  })
  afterEach(() => world.remove())

  it('and brought back while its pool works off: what runs goes on, and nothing comes of the old deadline', async () => {
    const reader = await running()
    await state({ state: 'Retired', deadline_ms: 10_000 })
    assert.equal((await health()).draining, true)
    await clock.advance(5000)
    await state({ state: 'Active' })
    const { ready, draining } = await health()
    assert.deepEqual({ ready, draining }, { ready: true, draining: false })
    const waits = task()
    assert.equal((await post(waits)).status, 202)
    await clock.advance(20_000)
    assert.deepEqual([engine.running.length, engine.stops, engine.starts], [1, 0, 1])
    engine.call.finish()
    await reader.closed
    assert.equal(reader.terminal?.event, 'end')
    // The one that came after it was brought back runs as well, on the same engine.
    await until(() => engine.calls.length === 2)
    engine.call.finish()
    await untilAnswer(
      async () => (await world.ask('GET', `/v1/tasks/${waits.task_id}`)).json['state'],
      (is) => is === 'completed',
    )
    assert.equal((await health()).ready, true)
  })

  it('retired again it has the new deadline only', async () => {
    const reader = await running()
    await state({ state: 'Retired', deadline_ms: 10_000 })
    await clock.advance(5000)
    await state({ state: 'Active' })
    await state({ state: 'Retired', deadline_ms: 60_000 })
    await clock.advance(50_000)
    assert.deepEqual([engine.running.length, engine.stops], [1, 0])
    await clock.advance(10_000)
    await reader.closed
    assert.equal(reader.terminal?.data?.['code'], 'POOL_UNREADY')
    await untilReplica('stopped')
    assert.equal(engine.stops, 1)
  })

  it('while the tokens of a new task are counted refuses that task', async () => {
    const counts = Promise.withResolvers<number>()
    let asked = false
    engine.onCount = () => {
      asked = true
      return counts.promise
    }
    const answer = post()
    await until(() => asked)
    await state({ state: 'Retired', deadline_ms: 10_000 })
    counts.resolve(3)
    const { status, json } = await answer
    assert.deepEqual([status, json['code']], [409, 'MODEL_DEPRECATED'])
    assert.deepEqual([engine.calls.length, world.daemon.live.size], [0, 0])
  })
})
