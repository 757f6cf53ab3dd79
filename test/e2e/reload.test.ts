import assert from 'node:assert/strict'
import { newGate } from '../harness/gate.ts'
import { mockPool } from '../harness/daemon.ts'
import {
  accepted,
  assertUnready,
  assertWhole,
  drain,
  endOf,
  getTask,
  listed,
  modelState,
  postTask,
  proving,
  reload,
  resume,
  sample,
  startStill,
  stream,
  untilState,
  type Still,
} from './pools.kit.ts'

const one = { replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 1000, token_ms: 0, tokens: 4 } }
const pools = [
  mockPool({ id: 'flip', model: 'mock:flip-1' }),
  mockPool({ id: 'old', model: 'mock:old-1', ...one, replicas: [{ id: 'r0', slots: 2 }] }),
  mockPool({ id: 'same', model: 'mock:same', ...one }),
  mockPool({ id: 'move-a', model: 'mock:move', ...one }),
  mockPool({ id: 'move-b', model: 'mock:move', ...one }),
  mockPool({ id: 'worked', model: 'mock:worked-1', ...one }),
  mockPool({ id: 'depth', model: 'mock:depth-1', ...one }),
  mockPool({ id: 'due', model: 'mock:due', ...one }),
  mockPool({ id: 'counted', model: 'mock:counted' }),
  mockPool({ id: 'drained', model: 'mock:drained-1' }),
]

describe('a reload', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({ pools })
  })
  after(() => daemon.stop())
  const loaded = (model: string): Promise<number | undefined> => modelState(daemon, model, 'loaded')
  const unloaded = (model: string): Promise<number | undefined> => modelState(daemon, model, 'unloaded')

  it('puts the new model in the place of the old one', async () => {
    const { status, json } = await reload(daemon, 'flip', 'mock:flip-2')
    assert.equal(status, 202)
    assert.deepEqual(json, {
      pool_id: 'flip',
      engine: 'mock',
      model_ref: 'mock:flip-2',
      live: true,
      ready: true,
      draining: false,
      slots: 4,
      slots_busy: 0,
      queue_depth: 0,
    })
    assert.deepEqual(await listed(daemon, 'flip'), json)
    const task = await accepted(daemon, { model_ref: 'mock:flip-2' })
    assert.equal((await endOf(daemon, task)).event, 'end')
    const { status: gone, json: error } = await postTask(daemon, { model_ref: 'mock:flip-1' })
    assert.deepEqual([gone, error['code']], [404, 'NOT_FOUND'])
  })

  it('is shown by model_state', async () => {
    assert.deepEqual([await loaded('mock:flip-2'), await unloaded('mock:flip-2')], [1, 0])
    await daemon.clock.advance(1000)
    assert.deepEqual([await loaded('mock:flip-1'), await unloaded('mock:flip-1')], [0, 1])
    assert.equal(await sample(daemon, 'queue_depth{engine="mock",engine_version="mock-1",pool_id="flip",priority="interactive"}'), 0)
  })

  it('lets tasks finish on the old engines, whose model stays loaded until then', async () => {
    const tasks = [await accepted(daemon, { model_ref: 'mock:old-1' }), await accepted(daemon, { model_ref: 'mock:old-1' })]
    const streams = await Promise.all(tasks.map((task_id) => stream(daemon, task_id)))
    const queued = await accepted(daemon, { model_ref: 'mock:old-1' })
    // The proof decodes one token: its prefill takes as long as any.
    const { answer } = await proving(daemon, 'old', 'mock:old-2')
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
    assert.equal((await listed(daemon, 'old'))['model_ref'], 'mock:old-2')
    for (const reader of streams) {
      await reader.closed
      assertWhole(reader)
      assert.equal(reader.terminal?.event, 'end')
    }
    await untilState(daemon, queued, 'running')
    assert.deepEqual([await loaded('mock:old-1'), await loaded('mock:old-2')], [1, 1])
    await daemon.clock.advance(1000)
    assert.equal((await endOf(daemon, queued)).event, 'end')
    await daemon.clock.advance(1000)
    assert.deepEqual([await loaded('mock:old-1'), await unloaded('mock:old-1'), await loaded('mock:old-2')], [0, 1, 1])
  })

  it('of the same model keeps what waits', async () => {
    const fields = { model_ref: 'mock:same', placement: { mode: 'pin', pin_pool_id: 'same' } }
    const running = await accepted(daemon, fields)
    await daemon.clock.advance(1)
    const waiting = [
      await accepted(daemon, fields),
      await accepted(daemon, { ...fields, priority: 'batch' }),
      await accepted(daemon, fields),
    ]
    const followed = await stream(daemon, waiting[0]!)
    await daemon.clock.advance(998)
    const { answer } = await proving(daemon, 'same', 'mock:same')
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
    assert.equal((await endOf(daemon, running)).event, 'end')
    await daemon.clock.advance(5000)
    for (const task_id of waiting) assert.equal((await endOf(daemon, task_id)).event, 'end')
    await followed.closed
    assertWhole(followed)
    const begun = await Promise.all(waiting.map(async (task_id) => String((await getTask(daemon, task_id))['started_at'])))
    assert.deepEqual([begun[0]! < begun[2]!, begun[2]! < begun[1]!], [true, true], 'interactive first, then batch')
    assert.deepEqual([await loaded('mock:same'), await unloaded('mock:same')], [1, 0])
  })

  it('moves what waits for the old model to a pool that serves it', async () => {
    const prefer = { model_ref: 'mock:move', placement: { mode: 'prefer', prefer_pools: ['move-a'] } }
    const running = await accepted(daemon, prefer)
    const free = await accepted(daemon, prefer)
    const pinned = await accepted(daemon, { model_ref: 'mock:move', placement: { mode: 'pin', pin_pool_id: 'move-a' } })
    const { answer } = await proving(daemon, 'move-a', 'mock:moved')
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
    await daemon.clock.advance(3000)
    for (const task_id of [running, free, pinned]) assert.equal((await endOf(daemon, task_id)).event, 'end', task_id)
    assert.equal((await postTask(daemon, { model_ref: 'mock:move' })).json['pool_id'], 'move-b')
  })

  it('ends at its deadline what still waits for the old model', async () => {
    const tasks: string[] = []
    for (let i = 0; i < 5; i++) tasks.push(await accepted(daemon, { model_ref: 'mock:worked-1' }))
    const { answer } = await proving(daemon, 'worked', 'mock:worked-2', 1500)
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
    await daemon.clock.advance(10_000)
    const ends = await Promise.all(tasks.map((task_id) => endOf(daemon, task_id)))
    assert.deepEqual(
      ends.map(({ event, data }) => data?.['code'] ?? event),
      ['end', 'end', 'end', 'POOL_UNAVAILABLE', 'POOL_UNAVAILABLE'],
    )
    assert.equal(ends[3]?.data?.['retriable'], true)
  })

  it('leaves queue_depth to the pool that serves', async () => {
    const depth = (): Promise<number | undefined> =>
      sample(daemon, 'queue_depth{engine="mock",engine_version="mock-1",pool_id="depth",priority="interactive"}')
    const tasks: string[] = []
    for (let i = 0; i < 3; i++) tasks.push(await accepted(daemon, { model_ref: 'mock:depth-1' }))
    assert.equal(await depth(), 2)
    const late = await proving(daemon, 'depth', 'mock:depth-2', 999)
    assert.equal(await depth(), 2)
    await daemon.clock.advance(999)
    assert.equal((await late.answer).status, 409)
    assert.equal(await depth(), 2)
    const { answer } = await proving(daemon, 'depth', 'mock:depth-2')
    await daemon.clock.advance(1000)
    assert.equal((await answer).status, 202)
    assert.equal(await depth(), 0)
    for (let i = 0; i < 3; i++) tasks.push(await accepted(daemon, { model_ref: 'mock:depth-2' }))
    assert.deepEqual([await depth(), (await listed(daemon, 'depth'))['queue_depth']], [2, 2])
    await daemon.clock.advance(999)
    await daemon.clock.advance(10_000)
    for (const task_id of tasks) assert.equal((await endOf(daemon, task_id)).event, 'end', task_id)
    assert.equal(await depth(), 0)
  })

  it('of a pool that drains leaves it draining', async () => {
    await drain(daemon, 'drained')
    assert.equal((await reload(daemon, 'drained', 'mock:drained-2')).json['draining'], true)
    assertUnready(await postTask(daemon, { model_ref: 'mock:drained-2' }))
    assert.equal((await resume(daemon, 'drained')).json['ready'], true)
    assert.equal((await postTask(daemon, { model_ref: 'mock:drained-2' })).status, 202)
  })

  it('of a pool that drains leaves it its deadline', async () => {
    const running = await accepted(daemon, { model_ref: 'mock:due' })
    await daemon.clock.advance(500)
    const waiting = [await accepted(daemon, { model_ref: 'mock:due' }), await accepted(daemon, { model_ref: 'mock:due' })]
    await drain(daemon, 'due', 1500)
    const { answer } = await proving(daemon, 'due', 'mock:due')
    await daemon.clock.advance(1000)
    assert.equal((await answer).json['draining'], true)
    await daemon.clock.advance(500)
    const ends = await Promise.all([running, ...waiting].map((task_id) => endOf(daemon, task_id)))
    assert.deepEqual(
      ends.map(({ event, data }) => data?.['code'] ?? event),
      ['end', 'end', 'POOL_UNREADY'],
    )
  })

  it('is not missed by a task whose tokens are counted meanwhile', async () => {
    const counting = newGate()
    const released = newGate()
    const { engine } = daemon.pools.get('counted').replicas[0]!
    engine.countTokens = async () => {
      counting.resolve()
      await released.promise
      return 4
    }
    const answer = postTask(daemon, { model_ref: 'mock:counted' })
    await counting.promise
    assert.equal((await reload(daemon, 'counted', 'mock:counted')).status, 202)
    await daemon.clock.advance(200)
    released.resolve()
    const { status, json, text } = await answer
    assert.equal(status, 202, text)
    assert.equal((await endOf(daemon, String(json['task_id']))).event, 'end')
  })
})
