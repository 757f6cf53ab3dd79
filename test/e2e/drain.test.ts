import assert from 'node:assert/strict'
import { keys, mockPool } from '../harness/daemon.ts'
import {
  accepted,
  assertUnready,
  control,
  drain,
  endOf,
  getTask,
  health,
  listed,
  postTask,
  resume,
  sample,
  startStill,
  untilState,
  type Still,
} from './pools.kit.ts'

const one = { replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 1000, token_ms: 0, tokens: 4 } }
/** Each test has pools and a model of its own. */
const pools = [
  mockPool(),
  mockPool({ id: 'steps', model: 'mock:steps', ...one }),
  mockPool({ id: 'move-a', model: 'mock:move', ...one }),
  mockPool({ id: 'move-b', model: 'mock:move', ...one }),
  mockPool({ id: 'bound-a', model: 'mock:bound', ...one, replicas: [{ id: 'r0', slots: 1, devices: [0] }], sampler_profile_version: 'p1' }),
  mockPool({ id: 'bound-b', model: 'mock:bound' }),
  mockPool({ id: 'room-a', model: 'mock:room', ...one }),
  mockPool({ id: 'room-b', model: 'mock:room', ...one, queue: { capacity: 1 } }),
  mockPool({ id: 'late', model: 'mock:late', ...one }),
  mockPool({ id: 'again', model: 'mock:again', ...one, mock: { prefill_ms: 50_000 } }),
]

describe('a drain', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({ pools })
  })
  after(() => daemon.stop())
  const accept = (pool: string, fields: Record<string, unknown> = {}): Promise<string> =>
    accepted(daemon, { model_ref: `mock:${pool.replace(/-.*/, '')}`, placement: { mode: 'prefer', prefer_pools: [pool] }, ...fields })

  it('is for the role control, as are resume and reload', async () => {
    const asks = [
      control(daemon, 'mock/drain', { deadline_ms: 1 }, keys.data),
      control(daemon, 'mock/resume', undefined, keys.data),
      control(daemon, 'mock/reload', { model_ref: 'mock:v2' }, keys.data),
    ]
    for (const { status, json } of await Promise.all(asks)) {
      assert.equal(status, 403)
      assert.equal(json['code'], 'FORBIDDEN')
    }
    const { draining, model_ref } = await listed(daemon, 'mock')
    assert.deepEqual({ draining, model_ref }, { draining: false, model_ref: 'mock:v1' })
  })

  it('knows its pools and its bounds', async () => {
    assert.equal((await drain(daemon, 'nobody')).status, 404)
    assert.equal((await resume(daemon, 'nobody')).status, 404)
    for (const body of [{}, { deadline_ms: -1 }, { deadline_ms: 86_400_001 }, { deadline_ms: 1, surprise: 1 }])
      assert.equal((await control(daemon, 'mock/drain', body)).status, 400)
    assert.equal((await listed(daemon, 'mock'))['draining'], false)
  })

  it('refuses newcomers at once, lets what is there finish, and shows every step', async () => {
    const running = await accept('steps')
    const queued = await accept('steps')
    const first = {
      pool_id: 'steps',
      engine: 'mock',
      model_ref: 'mock:steps',
      live: true,
      ready: true,
      draining: false,
      slots: 1,
      slots_busy: 1,
      queue_depth: 1,
    }
    assert.deepEqual(await listed(daemon, 'steps'), first)

    const { status, json } = await drain(daemon, 'steps')
    assert.equal(status, 202)
    const draining = { ...first, ready: false, draining: true }
    assert.deepEqual(json, draining)
    assert.deepEqual(await listed(daemon, 'steps'), draining)
    const refused = await postTask(daemon, { model_ref: 'mock:steps' })
    assertUnready(refused)
    assert.equal(refused.json['message'], 'Pool steps drains and takes no new tasks.')

    await daemon.clock.advance(1000)
    assert.equal((await endOf(daemon, running)).event, 'end')
    await untilState(daemon, queued, 'running')
    assert.deepEqual(await listed(daemon, 'steps'), { ...draining, queue_depth: 0 })
    await daemon.clock.advance(1000)
    assert.equal((await endOf(daemon, queued)).event, 'end')
    assert.deepEqual(await listed(daemon, 'steps'), { ...draining, queue_depth: 0, slots_busy: 0 })
    const { live, ready, draining: still } = await health(daemon, 'steps')
    assert.deepEqual({ live, ready, still }, { live: true, ready: false, still: true })
    assertUnready(await postTask(daemon, { model_ref: 'mock:steps' }))

    const resumed = await resume(daemon, 'steps')
    assert.equal(resumed.status, 202)
    assert.deepEqual(resumed.json, { ...first, queue_depth: 0, slots_busy: 0 })
    const next = await accept('steps')
    await daemon.clock.advance(1000)
    assert.equal((await endOf(daemon, next)).event, 'end')
  })

  it('moves what waits to a pool of the same model; pinned tasks stay and are worked off', async () => {
    const pin = { placement: { mode: 'pin', pin_pool_id: 'move-a' } }
    const running = await accept('move-a')
    const pinned = await accept('move-a', pin)
    const free = await accept('move-a')
    assert.deepEqual((await listed(daemon, 'move-a'))['queue_depth'], 2)

    assert.equal((await drain(daemon, 'move-a')).json['queue_depth'], 1)
    await untilState(daemon, free, 'running')
    assert.equal((await getTask(daemon, free))['pool_id'], 'move-b')
    const { state, pool_id } = await getTask(daemon, pinned)
    assert.deepEqual({ state, pool_id }, { state: 'queued', pool_id: 'move-a' })
    await daemon.clock.advance(2000)
    for (const task_id of [running, pinned, free]) assert.equal((await endOf(daemon, task_id)).event, 'end', task_id)
    assertUnready(await postTask(daemon, { model_ref: 'mock:move', ...pin }))
    assert.equal((await postTask(daemon, { model_ref: 'mock:move' })).json['pool_id'], 'move-b')
  })

  it('moves nothing to where its placement does not allow it to go', async () => {
    const running = await accept('bound-a')
    const bound = [
      { placement: { mode: 'prefer', prefer_pools: ['bound-a'], allow_fallback: false } },
      { placement: { mode: 'auto', avoid_pools: ['bound-b'] } },
      { placement: { mode: 'auto', require_device_mask: [0] } },
      { sampler_profile_version: 'p1' },
    ]
    const tasks: string[] = []
    for (const fields of bound) tasks.push(await accept('bound-a', fields))
    assert.equal((await drain(daemon, 'bound-a')).json['queue_depth'], bound.length)
    assert.equal((await listed(daemon, 'bound-b'))['slots_busy'], 0)
    await daemon.clock.advance(5000)
    for (const task_id of [running, ...tasks]) assert.equal((await endOf(daemon, task_id)).event, 'end', task_id)
  })

  it('moves no more than the other pool has room for', async () => {
    const tasks: string[] = []
    for (let i = 0; i < 5; i++) tasks.push(await accept('room-a'))
    assert.equal((await drain(daemon, 'room-a')).json['queue_depth'], 2)
    const { slots_busy, queue_depth } = await listed(daemon, 'room-b')
    assert.deepEqual({ slots_busy, queue_depth }, { slots_busy: 1, queue_depth: 1 })
    await daemon.clock.advance(10_000)
    for (const task_id of tasks) assert.equal((await endOf(daemon, task_id)).event, 'end', task_id)
  })

  it('ends what is left at its deadline', async () => {
    const tasks = [await accept('late'), await accept('late'), await accept('late', { priority: 'batch' })]
    await drain(daemon, 'late', 999)
    await daemon.clock.advance(998)
    assert.equal((await getTask(daemon, tasks[0]!))['state'], 'running')
    await daemon.clock.advance(1)
    for (const task_id of tasks) {
      const { event, data } = await endOf(daemon, task_id)
      assert.equal(event, 'error')
      assert.deepEqual(
        { code: data?.['code'], retriable: data?.['retriable'], pool_id: data?.['pool_id'] },
        { code: 'POOL_UNREADY', retriable: true, pool_id: 'late' },
      )
    }
    const { slots_busy, queue_depth, draining } = await listed(daemon, 'late')
    assert.deepEqual({ slots_busy, queue_depth, draining }, { slots_busy: 0, queue_depth: 0, draining: true })
    const labels = 'engine="mock",engine_version="mock-1",pool_id="late",replica_id'
    assert.equal(await sample(daemon, `tasks_canceled_total{${labels}="r0",reason="drain"}`), 1)
    assert.equal(await sample(daemon, `tasks_canceled_total{${labels}="none",reason="drain"}`), 2)
  })

  it('takes a new deadline when it is asked for again, and none when it is resumed', async () => {
    const task = await accept('again')
    await drain(daemon, 'again', 1000)
    await drain(daemon, 'again', 3000)
    await daemon.clock.advance(2999)
    assert.equal((await getTask(daemon, task))['state'], 'running')
    await resume(daemon, 'again')
    await daemon.clock.advance(10_000)
    assert.equal((await getTask(daemon, task))['state'], 'running')
    await drain(daemon, 'again', 0)
    await daemon.clock.advance(0)
    assert.equal((await endOf(daemon, task)).data?.['code'], 'POOL_UNREADY')
  })
})
