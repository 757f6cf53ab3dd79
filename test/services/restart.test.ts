import assert from 'node:assert/strict'
import { settled } from '../harness/fake-clock.ts'
import { ann, poolConfig, refusalOf, startRig, type Rig, type RigOptions } from '../harness/rig.ts'

/** A second life on what the first one left, at the same time. */
const again = (rig: Rig, options: RigOptions = {}): Promise<Rig> => startRig({ ...options, storage: rig.storage, clock: rig.clock })

const ids = (rig: Rig): string[] => [...rig.live.all()].map(({ accepted }) => accepted.task_id)

describe('shutdown', () => {
  it('lets running tasks finish within the grace, and starts no other', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    let stopped = false
    const stopping = rig.quiesce(5000).finally(() => (stopped = true))
    await rig.clock.advance(4000)
    assert.equal(stopped, false)
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await stopping
    assert.equal((await rig.storage.journal.find('ann', 't1'))?.outcome?.state, 'completed')
    assert.equal(rig.engine().calls.length, 1)
    assert.deepEqual(
      (await rig.storage.journal.unfinished()).map(({ task }) => task.task_id),
      ['t2'],
    )
    assert.equal(rig.clock.pending, 0)
  })

  it('stops at once where nothing runs, and admits nothing more', async () => {
    const rig = await startRig()
    await rig.quiesce(60_000)
    const error = await refusalOf(rig.admit())
    assert.deepEqual([error.kind, error.code, error.details.retry_after_ms], ['pool_unready', 'POOL_UNREADY', 5000])
  })

  it('leaves what can be run again in the journal, without a terminal frame', async () => {
    const rig = await startRig({ props: { replayable: true } })
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.engine().call.say('a')
    const stopping = rig.quiesce(5000)
    await rig.clock.advance(5000)
    await stopping
    assert.equal(rig.engine().call.signal.aborted, true)
    assert.equal(tail.kinds, 'started token')
    assert.deepEqual(
      (await rig.storage.journal.unfinished()).map(({ task }) => task.task_id),
      ['t'],
    )
  })

  it('ends what cannot be run again with WORKER_RESET', async () => {
    const rig = await startRig({ props: { replayable: false } })
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.engine().call.say('a')
    const stopping = rig.quiesce(100)
    await rig.clock.advance(100)
    await stopping
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], ['WORKER_RESET', true])
    assert.equal((await rig.storage.journal.find('ann', 't'))?.outcome?.state, 'failed')
    assert.deepEqual(
      rig.metric('tasks_canceled_total').map(({ labels }) => labels['reason']),
      ['shutdown'],
    )
  })

  it('does not fail where the end of a task cannot be written', async () => {
    const rig = await startRig({ props: { replayable: false } })
    await rig.run({ task_id: 't' })
    rig.storage.broken = true
    const stopping = rig.quiesce(100)
    await rig.clock.advance(100)
    await stopping
    assert.equal(
      rig.lines.some(({ level, message }) => level === 'error' && message === 'stop'),
      true,
    )
  })

  it('leaves an end alone that is still being written when the grace is over', async () => {
    const rig = await startRig({ props: { replayable: false } })
    await rig.run({ task_id: 't' })
    rig.storage.hold()
    rig.engine().call.finish()
    await settled()
    const stopping = rig.quiesce(100)
    await rig.clock.advance(100)
    await stopping
    rig.storage.release()
    await settled()
    assert.deepEqual(
      rig.storage.facts('finished').map(({ outcome }) => outcome.state),
      ['completed'],
    )
  })

  it('waits for an end that is being written', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.hold()
    rig.engine().call.finish()
    await settled()
    const stopping = rig.quiesce(5000)
    await settled()
    rig.storage.release()
    await stopping
    assert.equal(tail.kinds, 'started metrics end')
  })
})

describe('recovery', () => {
  it('queues every unfinished task again in order of acceptance, with its promises and its deadline', async () => {
    const rig = await startRig()
    for (const task_id of ['t1', 't2', 't3']) await rig.run({ task_id, deadline_ms: 10_000 })
    const before = await rig.tail('t3')
    rig.engine().call.finish()
    await settled()
    await rig.clock.advance(4000)
    const next = await again(rig)
    assert.deepEqual(ids(next), ['t2', 't3'])
    assert.equal((await next.tasks.get(ann, 't2')).state, 'running')
    assert.equal((await next.tasks.get(ann, 't3')).queue_position, 0)
    assert.deepEqual((await next.tail('t3')).frames[0], before.frames[0], 'the started frame is the same')
    await next.clock.advance(6000)
    assert.deepEqual(ids(next), ['t2'])
    assert.equal((await next.tail('t3')).end?.['code'], 'DEADLINE_UNMET')
  })

  it('lets a reader go on in the text of a task that is run again', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.say('one ')
    rig.engine().call.say('two ')
    const first = await rig.tail('t')
    const next = await again(rig)
    const tail = await next.tail('t', ann, first.frames.at(-1)?.id)
    for (const text of ['one two', ' three ', 'four']) next.engine().call.say(text)
    next.engine().call.finish()
    await settled()
    assert.equal(first.text + tail.text, 'one two three four')
    assert.equal(next.engine().call.request.seed, rig.engine().call.request.seed)
  })

  it('tells a reader honestly where the text came out differently', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.say('one')
    const first = await rig.tail('t')
    const next = await again(rig)
    const tail = await next.tail('t', ann, first.frames.at(-1)?.id)
    next.engine().call.say('uno dos')
    assert.equal(tail.kinds, 'error')
    assert.equal(tail.end?.['code'], 'WORKER_RESET')
  })

  it('keeps the turns of a session that were taken, and those that are reserved', async () => {
    const sessions = { max_turns: 2 }
    const rig = await startRig({ sessions })
    await rig.run({ task_id: 't1', session_id: 's' })
    rig.engine().call.finish()
    await rig.run({ task_id: 'other' })
    await rig.run({ task_id: 't2', session_id: 's' })
    const next = await again(rig, { sessions })
    assert.deepEqual(ids(next), ['other', 't2'])
    assert.equal(next.sessions.info(ann, 's').turns, 1)
    assert.equal((await refusalOf(next.admit({ session_id: 's' }))).kind, 'budget_exhausted')
    next.engine().call.finish()
    await settled()
    assert.equal(next.sessions.info(ann, 's').turns, 2)
    assert.equal((await next.storage.sessions.all()).find(({ session_id }) => session_id === 's')?.turns, 2)
  })

  it('ends tasks whose pool is gone or serves another model', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    for (const pools of [[poolConfig({ id: 'other' })], [poolConfig({ model: 'mock:v2' })]]) {
      const next = await again(await startRig({ storage: rig.storage, clock: rig.clock }), { pools })
      const tail = await next.tail('t')
      assert.equal(tail.kinds, 'started error')
      assert.deepEqual([tail.end?.['code'], tail.end?.['retriable'], tail.end?.['pool_id']], ['POOL_UNAVAILABLE', true, 'pool'])
      assert.equal((await next.tasks.get(ann, 't')).state, 'failed')
      assert.equal(next.live.size, 0)
    }
  })

  it('keeps an accepted task although the queue is smaller now', async () => {
    const rig = await startRig()
    for (let i = 0; i < 4; i++) await rig.run({ task_id: `t${i}` })
    const next = await again(rig, { pools: [poolConfig({ queue: { capacity: 1, full_policy: 'drop-lru' } })] })
    assert.deepEqual(ids(next), ['t0', 't1', 't2', 't3'])
    await next.run({ task_id: 'new' })
    assert.deepEqual(ids(next), ['t0', 't2', 't3', 'new'], 'one goes for one that comes')
  })
})
