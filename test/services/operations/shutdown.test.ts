import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { newGate } from '../../harness/gate.ts'
import { poolConfig, refusalOf, startRig } from '../../harness/rig.ts'
import { unfinishedOf } from '../../harness/unfinished.ts'

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
      (await unfinishedOf(rig.storage.journal)).map(({ head }) => head.task_id),
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

  it('is not ready again when a late pool comes up meanwhile', async () => {
    const late = newGate()
    const rig = await startRig({
      pools: [poolConfig(), poolConfig({ id: 'late', model: 'mock:late' })],
      prepare: (engine, pool_id) => {
        if (pool_id === 'late') engine.onStart = () => late.promise
      },
    })
    await rig.run({ task_id: 't' })
    assert.equal(rig.isReady(), false, 'one of its engines has not had its start')
    const stopping = rig.quiesce(60_000)
    late.resolve()
    await rig.starting
    assert.deepEqual([rig.pool('late').serves, rig.isReady()], [true, false])
    rig.engine().call.finish()
    await stopping
    assert.equal(rig.isReady(), false)
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
      (await unfinishedOf(rig.storage.journal)).map(({ head }) => head.task_id),
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
      rig.lines.some(({ level, fields }) => level === 'error' && fields['event'] === 'stop'),
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
