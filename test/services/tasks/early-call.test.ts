import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, refusalOf, startRig } from '../../harness/rig.ts'

/** No task of this id can have been there. */
const drawn = { task_id: undefined } as const

describe('an engine that is called while the acceptance goes to disk', () => {
  it('gives its slot at once, and nothing goes out before acceptance and attempt are durable', async () => {
    const rig = await startRig()
    rig.storage.hold()
    const reply = rig.admit(drawn)
    await settled()
    assert.deepEqual([rig.engine().calls.length, rig.pool().slotsBusy], [1, 1])
    rig.engine().call.say('one ')
    await settled()
    assert.deepEqual([rig.storage.facts('accepted').length, rig.storage.facts('attempt').length], [0, 0])
    rig.storage.release()
    const { task_id } = await reply
    const tail = await rig.tail(task_id)
    await settled()
    rig.engine().call.say('two')
    assert.equal(tail.text, 'one two')
    rig.engine().call.finish({ tokens_out: 2 })
    await settled()
    assert.deepEqual([tail.end?.['finish_reason'], tail.end?.['queue_ms'], tail.end?.['tokens_out']], ['stop', 0, 2])
    assert.deepEqual([rig.engine().calls.length, rig.pool().slotsBusy, rig.storage.facts('attempt').length], [1, 0, 1])
  })

  it('has its run and its turn in the commit of the acceptance', async () => {
    const rig = await startRig()
    await rig.admit(drawn)
    const [first = []] = rig.storage.commits
    assert.deepEqual(
      first.map(({ kind }) => kind),
      ['accepted', 'session_put', 'session_spent', 'attempt'],
    )
    await settled()
    assert.deepEqual([rig.storage.commits.length, rig.storage.facts('session_spent').map(({ turns }) => turns)], [1, [1]])
  })

  it('is not accepted where its attempt cannot be written: no turn is taken', async () => {
    const rig = await startRig()
    rig.storage.refuses = 'attempt'
    assert.equal((await refusalOf(rig.admit({ ...drawn, session_id: 's' }))).kind, 'pool_unavailable')
    assert.equal(rig.engine().call.signal.aborted, true)
    rig.engine().call.fail(new Error('aborted'))
    await settled()
    rig.storage.refuses = undefined
    assert.deepEqual([rig.live.size, rig.pool().slotsBusy, rig.pool().early], [0, 0, 0])
    await rig.admit({ ...drawn, session_id: 's' })
    assert.equal(rig.sessions.info(ann, 's').turns, 1)
  })

  it('is aborted where the acceptance fails: no attempt is counted, and the slot is free when it confirms', async () => {
    const rig = await startRig()
    const timers = rig.clock.pending
    rig.storage.broken = true
    rig.storage.hold()
    const refused = refusalOf(rig.admit(drawn))
    await settled()
    rig.engine().deaf = true
    rig.engine().call.say('lost')
    rig.storage.release()
    assert.equal((await refused).kind, 'pool_unavailable')
    rig.storage.broken = false
    assert.deepEqual([rig.engine().call.signal.aborted, rig.pool().slotsBusy, rig.live.size], [true, 1, 0])
    rig.engine().call.fail(new Error('aborted'))
    await settled()
    assert.deepEqual([rig.pool().slotsBusy, rig.pool().running.size, rig.storage.facts('attempt').length], [0, 0, 0])
    assert.equal(rig.clock.pending, timers)
  })

  it('is aborted with its task', async () => {
    const rig = await startRig()
    const { task_id } = await rig.run(drawn)
    await rig.cancellation.cancel(ann, task_id)
    assert.equal(rig.engine().call.signal.aborted, true)
  })

  it('is taken down where it confirms no abort', async () => {
    const rig = await startRig()
    rig.storage.failing = 1
    rig.engine().deaf = true
    await refusalOf(rig.admit(drawn))
    await rig.clock.advance(60_000)
    assert.deepEqual([rig.engine().stops, rig.pool().slotsBusy], [1, 0])
  })

  it('is called for each of many that come at once, as long as slots are free', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    rig.storage.hold()
    const replies = ['a', 'b', 'c'].map((session_id) => rig.admit({ ...drawn, session_id }))
    await settled()
    assert.deepEqual([rig.engine().calls.length, rig.pool().slotsBusy, rig.pool().early], [2, 2, 2])
    rig.storage.release()
    await Promise.all(replies)
    await settled()
    assert.deepEqual([rig.pool().early, rig.pool().running.size, rig.pool().scheduler.depth()], [0, 2, 1])
    for (let n = 0; n < 3; n++) {
      rig.engine().running[0]?.finish()
      await settled()
    }
    assert.deepEqual([rig.engine().calls.length, rig.pool().slotsBusy, rig.live.size], [3, 0, 0])
  })

  it('is not called where others wait, or where the task may have been there, and again where it fails meanwhile', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 4 }] })] })
    rig.storage.hold()
    const replies = [
      rig.admit({ ...drawn, session_id: 'a' }),
      rig.admit({ task_id: 'w', session_id: 'w' }),
      rig.admit({ ...drawn, session_id: 'b' }),
    ]
    await settled()
    assert.equal(rig.engine().calls.length, 1)
    rig.engine().call.fail()
    await settled()
    rig.storage.release()
    await Promise.all(replies)
    await settled()
    const running = (): string[] => rig.engine().running.map(({ request }) => request.session)
    assert.deepEqual(running().sort(), ['ann/a', 'ann/b', 'ann/w'])
    assert.deepEqual([rig.storage.facts('attempt').length, rig.pool().slotsBusy], [4, 3])
    rig.storage.hold()
    const sent = rig.admit({ task_id: 't', session_id: 'c' })
    await settled()
    assert.deepEqual(running().length, 3)
    rig.storage.release()
    await sent
    await settled()
    assert.deepEqual(running().length, 4)
  })
})
