import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, bob, poolConfig, refusalOf, startRig, type Rig } from '../../harness/rig.ts'

/** One slot that is taken, a full queue of two, and drop-lru. */
async function fullRig(capacity = 2, priority: 'interactive' | 'batch' = 'interactive'): Promise<Rig> {
  const rig = await startRig({ pools: [poolConfig({ queue: { capacity, full_policy: 'drop-lru' } })] })
  await rig.run({ task_id: 'running' })
  for (let i = 1; i <= capacity; i++) await rig.run({ task_id: `q${i}`, priority })
  return rig
}

/** Finishes what runs until nothing is left; the ids in the order they ran. */
async function order(rig: Rig): Promise<string[]> {
  const ran: string[] = []
  for (;;) {
    const [task] = rig.pool().running
    if (task === undefined) return ran
    ran.push(task.accepted.task_id)
    rig.engine().call.finish()
    await settled()
  }
}

describe('admission: what it displaces', () => {
  it('ends the oldest with QUEUE_FULL_DROP_LRU in the transaction that accepts the newcomer', async () => {
    const rig = await fullRig()
    const tail = await rig.tail('q1')
    rig.storage.hold()
    const admitted = rig.admit({ task_id: 'new' })
    await settled()
    assert.equal(tail.kinds, 'started', 'told before it was durable')
    rig.storage.release()
    assert.equal((await admitted).queue_position, 1)
    assert.equal(tail.kinds, 'started metrics error')
    const { code, retriable, retry_after_ms } = tail.end ?? {}
    assert.deepEqual([code, retriable, typeof retry_after_ms], ['QUEUE_FULL_DROP_LRU', true, 'number'])
    const at = rig.storage.durable.findIndex((fact) => fact.kind === 'accepted' && fact.task.task_id === 'new')
    const kinds = rig.storage.durable.slice(at).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['accepted', 'session_put', 'artifact', 'finished', 'usage'])
    assert.deepEqual(await order(rig), ['running', 'q2', 'new'])
    assert.deepEqual(
      rig.metric('tasks_canceled_total').map(({ labels }) => labels['reason']),
      ['displaced'],
    )
    assert.deepEqual(
      rig.metric('admission_backpressure_events_total').map(({ labels }) => labels['policy']),
      ['drop-lru'],
    )
    assert.equal(rig.sessions.info(ann, 's-q1').turns, 0)
  })

  it('gives back, once, what the displaced had reserved of its session and its key', async () => {
    const pools = [poolConfig({ queue: { capacity: 1, full_policy: 'drop-lru' } })]
    const rig = await startRig({ pools, sessions: { max_turns: 1 }, keyBudgets: new Map([['ann', { tokens: 1000 }]]) })
    await rig.run({ task_id: 'running' })
    await rig.run({ task_id: 'q1' })
    assert.deepEqual(rig.sessions.remaining('ann', 's-q1'), { tokens: 1000 - 2 * 13 })
    assert.equal((await refusalOf(rig.admit({ session_id: 's-q1' }))).kind, 'budget_exhausted')
    await rig.run({ task_id: 'new' })
    assert.deepEqual(rig.sessions.remaining('ann', 's-new'), { tokens: 1000 - 2 * 13 })
    await rig.run({ task_id: 'again', session_id: 's-q1' })
    assert.deepEqual(rig.sessions.remaining('ann', 's-q1'), { tokens: 1000 - 2 * 13 })
  })

  it('takes the newcomer’s own key first, then the lowest class', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 3, full_policy: 'drop-lru' } })] })
    await rig.run({ task_id: 'running' })
    await rig.run({ task_id: 'a1' })
    await rig.run({ task_id: 'b1', priority: 'batch' }, bob)
    await rig.run({ task_id: 'a2' })
    await rig.run({ task_id: 'new1' })
    assert.equal(rig.live.of('ann', 'a1'), undefined, 'own key first, although batch work of another waits')
    await rig.run({ task_id: 'eve1' }, { name: 'eve', roles: ['data'] })
    assert.equal(rig.live.of('bob', 'b1'), undefined, 'then the lowest class')
  })

  it('never displaces a higher class: batch is refused where only interactive work waits', async () => {
    const rig = await fullRig()
    const error = await refusalOf(rig.admit({ priority: 'batch' }))
    assert.deepEqual([error.kind, error.code, error.details.policy_label], ['nothing_to_drop', 'QUEUE_FULL_DROP_LRU', 'drop-lru'])
    assert.deepEqual(await order(rig), ['running', 'q1', 'q2'])
  })

  it('never displaces a task that is not durable yet', async () => {
    const rig = await fullRig(1)
    rig.storage.hold()
    const first = rig.admit({ task_id: 'new1' })
    await settled()
    const second = refusalOf(rig.admit({ task_id: 'new2' }))
    await settled()
    rig.storage.release()
    assert.equal((await second).kind, 'nothing_to_drop')
    await first
    assert.deepEqual(await order(rig), ['running', 'new1'])
  })
})

describe('admission: a commit that fails', () => {
  it('is a 503, and nothing of the task is left', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'running' })
    rig.storage.broken = true
    const error = await refusalOf(rig.admit({ task_id: 'new', session_id: 'new' }))
    rig.storage.broken = false
    assert.deepEqual([error.kind, error.retriable, error.details.retry_after_ms], ['pool_unavailable', true, 1000])
    assert.equal(rig.live.of('ann', 'new'), undefined)
    assert.equal(rig.pool().scheduler.depth(), 0)
    assert.throws(() => rig.sessions.info(ann, 'new'), /No such session/)
    assert.equal(rig.metric('tasks_enqueued_total').length, 1)
    assert.equal((await rig.run({ task_id: 'new', session_id: 'new' })).queue_position, 0)
    assert.deepEqual(await order(rig), ['running', 'new'])
  })

  it('takes it back from what is told of the queue, where that was told while it was on its way', async () => {
    const rig = await startRig()
    for (const task_id of ['running', 'waiting']) await rig.run({ task_id })
    const told = (): unknown => rig.metric('queue_depth').findLast(({ labels }) => labels['priority'] === 'interactive')?.value
    rig.storage.hold()
    const refused = refusalOf(rig.admit({ task_id: 'new' }))
    await settled()
    const canceled = rig.cancellation.cancel(ann, 'waiting')
    await settled()
    assert.equal(told(), 1)
    rig.storage.failing = 1
    rig.storage.release()
    await Promise.all([refused, canceled])
    assert.deepEqual([told(), rig.pool().scheduler.depth()], [0, 0])
  })

  it('leaves the displaced task what it had reserved', async () => {
    const pools = [poolConfig({ queue: { capacity: 1, full_policy: 'drop-lru' } })]
    const rig = await startRig({ pools, keyBudgets: new Map([['ann', { tokens: 1000 }]]) })
    await rig.run({ task_id: 'running' })
    await rig.run({ task_id: 'q1' })
    rig.storage.failing = 1
    await refusalOf(rig.admit())
    assert.deepEqual(rig.sessions.remaining('ann', 's-q1'), { tokens: 1000 - 2 * 13 })
    assert.deepEqual(await order(rig), ['running', 'q1'])
    assert.deepEqual(rig.sessions.remaining('ann', 's-q1'), { tokens: 1000 - 2 * 4 })
  })

  it('gives the displaced task its old place, its readers and its metrics back', async () => {
    const rig = await fullRig()
    const tail = await rig.tail('q1')
    rig.storage.hold()
    rig.storage.broken = true
    const refused = refusalOf(rig.admit())
    await settled()
    assert.equal(rig.task('q1').phase, 'ending')
    assert.equal(rig.pool().scheduler.ahead(rig.task('q1')), undefined)
    // Metrics are due while its fate is open.
    await rig.clock.advance(1000)
    rig.storage.release()
    await refused
    rig.storage.broken = false
    assert.equal(rig.task('q1').phase, 'queued')
    assert.equal(rig.pool().scheduler.ahead(rig.task('q1'))?.position, 0)
    const before = tail.kinds
    await rig.clock.advance(1000)
    assert.equal(tail.kinds, `${before} metrics`)
    assert.deepEqual(await order(rig), ['running', 'q1', 'q2'])
    assert.equal(tail.frames.at(-1)?.event, 'end')
    assert.equal(tail.frames.filter(({ id }) => id === 'end').length, 1)
  })

  it('does not leave a slot idle that became free meanwhile', async () => {
    const rig = await fullRig(1)
    rig.storage.hold()
    rig.storage.broken = true
    const refused = refusalOf(rig.admit())
    await settled()
    rig.engine().call.finish()
    await settled()
    assert.equal(rig.pool().running.size, 0)
    rig.storage.release()
    await refused
    rig.storage.broken = false
    await settled()
    assert.deepEqual(
      [...rig.pool().running].map(({ accepted }) => accepted.task_id),
      ['q1'],
    )
  })

  it('lets a cancel of the displaced task wait for its fate: given back, it is canceled', async () => {
    const rig = await fullRig(1)
    rig.storage.hold()
    rig.storage.failing = 1
    const refused = refusalOf(rig.admit())
    await settled()
    let done = false
    const canceled = rig.cancellation.cancel(ann, 'q1').finally(() => (done = true))
    await settled()
    assert.equal(done, false)
    rig.storage.release()
    await refused
    await canceled
    const record = await rig.storage.journal.find('ann', 'q1')
    assert.equal(record?.outcome?.state, 'canceled')
  })

  it('lets a cancel of the displaced task wait for its fate: displaced, it stays so', async () => {
    const rig = await fullRig(1)
    rig.storage.hold()
    const admitted = rig.admit()
    await settled()
    const canceled = rig.cancellation.cancel(ann, 'q1')
    rig.storage.release()
    await Promise.all([admitted, canceled])
    const record = await rig.storage.journal.find('ann', 'q1')
    assert.equal(record?.outcome?.error?.code, 'QUEUE_FULL_DROP_LRU')
  })
})
