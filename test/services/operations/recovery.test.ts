import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, refusalOf, startRig, type Rig, type RigOptions } from '../../harness/rig.ts'
import { sessionsOf } from '../../harness/sessions-stored.ts'

/** A second life on what the first one left, at the same time. */
const again = (rig: Rig, options: RigOptions = {}): Promise<Rig> => startRig({ ...options, storage: rig.storage, clock: rig.clock })

const ids = (rig: Rig): string[] => [...rig.live.all()].map(({ accepted }) => accepted.task_id)

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
    assert.equal((await sessionsOf(next.storage.sessions)).find(({ session_id }) => session_id === 's')?.turns, 2)
  })

  it('ends tasks whose pool is gone or serves another model', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    for (const pools of [[poolConfig({ id: 'other', model: 'mock:v2' })], [poolConfig({ model: 'mock:v2' })]]) {
      const next = await again(await startRig({ storage: rig.storage, clock: rig.clock }), { pools })
      const tail = await next.tail('t')
      assert.equal(tail.kinds, 'started error')
      assert.deepEqual([tail.end?.['code'], tail.end?.['retriable'], tail.end?.['pool_id']], ['POOL_UNAVAILABLE', true, 'pool'])
      assert.equal((await next.tasks.get(ann, 't')).state, 'failed')
      assert.equal(next.live.size, 0)
    }
  })

  it('moves a task to another pool of its model where its own is gone, unless it is pinned', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'free' })
    await rig.run({ task_id: 'pinned', placement: { mode: 'pin', pin_pool_id: 'pool' } })
    const next = await again(rig, { pools: [poolConfig({ id: 'other' })] })
    assert.deepEqual(ids(next), ['free'])
    assert.equal(next.task('free').pool.id, 'other')
    assert.equal((await next.tail('pinned')).end?.['code'], 'POOL_UNAVAILABLE')
  })

  it('gives a task three runs in all, over crashes, and counts its turn once', async () => {
    let rig = await startRig()
    await rig.run({ task_id: 't' })
    for (let crash = 1; crash <= 2; crash++) {
      rig = await again(rig)
      assert.equal((await rig.tasks.get(ann, 't')).state, 'running')
      assert.equal(rig.task('t').attempts, crash + 1)
      assert.equal(rig.sessions.info(ann, 's-t').turns, 1)
    }
    const last = await again(rig)
    await settled()
    assert.equal(last.engine().calls.length, 0)
    const tail = await last.tail('t')
    assert.equal(tail.kinds, 'started metrics error')
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], ['WORKER_RESET', false])
    assert.deepEqual([last.live.size, last.sessions.info(ann, 's-t').turns], [0, 1])
    assert.notEqual((await last.tasks.get(ann, 't')).artifact_id, undefined, 'a transcript says what became of it')
  })

  it('has tasks with two failed runs run alone, one at a time: nobody is given up for a neighbour that killed the daemon', async () => {
    const pools = [poolConfig({ replicas: [{ id: 'r0', slots: 3 }] })]
    let rig = await startRig({ pools })
    for (const task_id of ['killer', 'u', 'v']) await rig.run({ task_id })
    const running = (): unknown[] => rig.engine().running.map(({ request }) => request.session)
    for (let crash = 1; crash <= 2; crash++) {
      rig = await again(rig, { pools })
      await settled()
    }
    assert.deepEqual(running(), ['ann/s-killer'], 'all three have had two runs that a crash cut off')
    rig = await again(rig, { pools })
    await settled()
    const killer = await rig.tasks.get(ann, 'killer')
    assert.deepEqual([killer.state, killer.error?.retriable], ['failed', false])
    for (const next of ['u', 'v']) {
      assert.deepEqual(running(), [`ann/s-${next}`])
      rig.engine().running[0]?.finish()
      await settled()
      assert.equal((await rig.tasks.get(ann, next)).state, 'completed', next)
    }
  })

  it('does not count a run that an orderly stop cut off', async () => {
    let rig = await startRig()
    await rig.run({ task_id: 't' })
    for (let stop = 0; stop < 5; stop++) {
      const stopping = rig.quiesce(100)
      await rig.clock.advance(100)
      await stopping
      rig = await again(rig)
      assert.deepEqual([(await rig.tasks.get(ann, 't')).state, rig.task('t').attempts], ['running', 1])
      assert.equal(rig.sessions.info(ann, 's-t').turns, 1)
    }
  })

  it('ends a task that had started on an engine that may give another text, and runs one that had not', async () => {
    const rig = await startRig({ props: { replayable: false } })
    await rig.run({ task_id: 'started' })
    await rig.run({ task_id: 'waiting' })
    const next = await again(rig, { props: { replayable: false } })
    await settled()
    const { end } = await next.tail('started')
    assert.deepEqual([end?.['code'], end?.['retriable']], ['WORKER_RESET', true])
    assert.equal((await next.tasks.get(ann, 'waiting')).state, 'running')
  })

  it('ends what is to be ended as soon as the disk can be written', async () => {
    const rig = await startRig({ props: { replayable: false } })
    await rig.run({ task_id: 't' })
    rig.storage.broken = true
    const next = await again(rig, { props: { replayable: false } })
    await settled()
    assert.equal(next.live.size, 1)
    rig.storage.broken = false
    await next.clock.advance(1000)
    assert.equal((await next.tail('t')).end?.['code'], 'WORKER_RESET')
    assert.equal(next.live.size, 0)
  })

  it('knows what a key has spent', async () => {
    const keyBudgets = new Map([['ann', { tokens: 30, time_ms: 1000 }]])
    const rig = await startRig({ keyBudgets })
    await rig.run({ task_id: 't' })
    await rig.clock.advance(300)
    rig.engine().call.finish({ tokens_in: 3, tokens_out: 7 })
    await settled()
    const next = await again(rig, { keyBudgets })
    assert.deepEqual(next.sessions.remaining('ann', 'any'), { tokens: 20, time_ms: 700 })
    assert.equal((await refusalOf(next.admit({ max_tokens: 18 }))).kind, 'budget_exhausted')
  })

  it('asks for no more of an accepted task than its pool gives now', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't', max_tokens: 10 })
    const next = await again(rig, { pools: [poolConfig({ max_tokens_out: 4 })] })
    assert.equal(next.engine().call.request.max_tokens, 4)
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
