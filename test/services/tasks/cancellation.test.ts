import { nativeFormat } from '../../../src/doors/native/frames.ts'
import assert from 'node:assert/strict'
import { actingFor } from '../../../src/domain/principal.ts'
import { StorageError } from '../../../src/ports/journal.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, bob, boss, refusalOf, poolConfig, startRig, type Rig } from '../../harness/rig.ts'

const stateOf = async (rig: Rig, task_id: string): Promise<unknown> => (await rig.tasks.get(ann, task_id)).state

describe('cancellation', () => {
  it('takes a queued task out of the queue; it never runs and costs no turn', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    await rig.run({ task_id: 't3' })
    const tail = await rig.tail('t2')
    await rig.cancellation.cancel(ann, 't2')
    assert.equal(tail.kinds, 'started metrics error')
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], ['CANCELED', false])
    assert.equal((await rig.tasks.get(ann, 't3')).queue_position, 0)
    rig.engine().call.finish()
    await settled()
    assert.deepEqual(
      [...rig.pool().running].map(({ accepted }) => accepted.task_id),
      ['t3'],
    )
    assert.equal(rig.sessions.info(ann, 's-t2').turns, 0)
    assert.equal(await stateOf(rig, 't2'), 'canceled')
  })

  it('stops a running task: not one token comes after, and every reader stands on the end', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    const behind = await rig.streams.open(ann, 't', { kind: 'start' }, nativeFormat)
    rig.engine().deaf = true
    rig.engine().call.say('a')
    const canceled = rig.cancellation.cancel(ann, 't')
    rig.engine().call.say('b')
    await canceled
    rig.engine().call.say('c')
    assert.equal(tail.kinds, 'started token metrics error')
    assert.equal(behind.reader.take(1 << 18).includes('event: token'), false, 'a reader that is behind skips what it has not taken')
    assert.equal(rig.engine().call.signal.aborted, true)
    assert.equal((await rig.tail('t')).kinds, 'started metrics error')
    assert.deepEqual(
      rig.metric('tasks_canceled_total').map(({ labels }) => labels['reason']),
      ['client'],
    )
  })

  it('answers only when it is durable', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.hold()
    let done = false
    const canceled = rig.cancellation.cancel(ann, 't').finally(() => (done = true))
    await settled()
    assert.deepEqual([done, tail.kinds, rig.engine().call.signal.aborted], [false, 'started', true])
    rig.storage.release()
    await canceled
    assert.equal(tail.kinds, 'started metrics error')
  })

  it('waits for an end that is under way, and changes nothing', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.storage.hold()
    rig.engine().call.finish()
    await settled()
    let done = false
    const canceled = rig.cancellation.cancel(ann, 't').finally(() => (done = true))
    await settled()
    assert.equal(done, false)
    rig.storage.release()
    await canceled
    assert.equal(await stateOf(rig, 't'), 'completed')
  })

  it('lets two cancels of one task both succeed', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    await Promise.all([rig.cancellation.cancel(ann, 't'), rig.cancellation.cancel(ann, 't')])
    await rig.cancellation.cancel(ann, 't')
    assert.equal(rig.storage.facts('finished').length, 1)
  })

  it('changes nothing of what is finished', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.finish()
    await settled()
    await rig.cancellation.cancel(ann, 't')
    assert.equal(await stateOf(rig, 't'), 'completed')
    assert.equal(rig.storage.facts('finished').length, 1)
  })

  it('knows no task of another key; control may cancel any by naming its owner', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    for (const [who, id] of [
      [bob, 't'],
      [ann, 'unknown'],
      [boss, 't'],
      [actingFor(boss, 'ann'), 'unknown'],
    ] as const)
      assert.equal((await refusalOf(rig.cancellation.cancel(who, id))).kind, 'not_found')
    assert.equal(await stateOf(rig, 't'), 'running')
    await rig.cancellation.cancel(actingFor(boss, 'ann'), 't')
    assert.equal(await stateOf(rig, 't'), 'canceled')
    await rig.cancellation.cancel(actingFor(boss, 'ann'), 't')
    assert.equal((await refusalOf(rig.cancellation.cancel(bob, 't'))).kind, 'not_found')
  })

  it('is in force, and says so, where it cannot be made durable; it is made so later', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.broken = true
    for (let i = 0; i < 2; i++) await assert.rejects(rig.cancellation.cancel(ann, 't'), StorageError)
    rig.engine().call.say('late')
    assert.equal(rig.engine().call.signal.aborted, true)
    assert.equal(rig.task('t').log.text, '')
    rig.storage.broken = false
    await rig.clock.advance(1000)
    assert.equal(tail.end?.['code'], 'CANCELED')
    await rig.cancellation.cancel(ann, 't')
  })

  it('of many at once tells every engine before the first end is written down', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    for (const task_id of ['t1', 't2']) await rig.run({ task_id })
    const { settlement } = rig
    const settle = settlement.settle.bind(settlement)
    const aborted: boolean[][] = []
    settlement.settle = (task, ending) => {
      aborted.push(rig.engine().calls.map(({ signal }) => signal.aborted))
      return settle(task, ending)
    }
    await Promise.all(['t1', 't2'].map((task_id) => rig.cancellation.cancel(ann, task_id)))
    assert.deepEqual(aborted, [
      [true, true],
      [true, true],
    ])
  })

  it('cancels a task that is accepted while it is looked up', async () => {
    const rig = await startRig()
    rig.storage.hold()
    const admitted = rig.admit({ task_id: 't' })
    await settled()
    const canceled = rig.cancellation.cancel(ann, 't')
    rig.storage.release()
    await Promise.all([admitted, canceled])
    await settled()
    assert.equal(await stateOf(rig, 't'), 'canceled')
  })

  it('cancels a task between two attempts', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.fail()
    await rig.cancellation.cancel(ann, 't')
    await settled()
    assert.equal(await stateOf(rig, 't'), 'canceled')
    assert.equal(rig.pool().slotsBusy, 0)
    assert.equal(rig.engine().running.length, 0)
  })
})
