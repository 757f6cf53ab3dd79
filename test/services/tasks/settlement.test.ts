import assert from 'node:assert/strict'
import { StreamError } from '../../../src/domain/errors.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig } from '../../harness/rig.ts'

const timeout = new StreamError('decode_timeout', 'too long')
const canceled = new StreamError('canceled', 'no more')

describe('settlement', () => {
  it('has one winner: the first claim ends the task, the others do nothing', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const task = rig.task('t')
    assert.deepEqual([task.claim(false), task.claim(true)], [true, false])
    rig.engine().call.say('late')
    rig.engine().call.finish()
    await settled()
    assert.equal(task.log.text, '')
    assert.equal(rig.storage.facts('finished').length, 0, 'the run ended what was claimed by another')
    await rig.settlement.settle(task, { kind: 'error', error: timeout })
    await rig.cancellation.cancel(ann, 't')
    const finished = rig.storage.facts('finished')
    assert.deepEqual(
      finished.map(({ outcome }) => outcome.error?.code),
      ['DECODE_TIMEOUT'],
    )
  })

  it('settles one end however many race for it', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    const cancels = [rig.cancellation.cancel(ann, 't'), rig.cancellation.cancel(ann, 't')]
    rig.engine().call.finish()
    rig.engine().die()
    await Promise.all(cancels)
    await rig.clock.advance(200_000)
    assert.equal(rig.storage.facts('finished').length, 1)
    assert.equal(tail.kinds, 'started metrics error')
    assert.equal(rig.metric('tasks_canceled_total').length, 1)
  })

  it('publishes only what is durable', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.hold()
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await settled()
    assert.equal(tail.kinds, 'started token')
    assert.equal(rig.task('t').phase, 'ending')
    rig.storage.release()
    await settled()
    assert.equal(tail.kinds, 'started token metrics end')
    assert.equal(rig.live.size, 0)
  })

  it('tries again every second until it can be written, and then publishes once', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.storage.broken = true
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await rig.clock.advance(3500)
    assert.equal(tail.end, undefined)
    assert.equal(rig.settlement.isUnwritten(rig.task('t')), true)
    rig.storage.broken = false
    await rig.clock.advance(499)
    assert.equal(tail.end, undefined)
    await rig.clock.advance(1)
    assert.equal(tail.end?.['finish_reason'], 'stop')
    await rig.clock.advance(10_000)
    assert.equal(tail.frames.filter(({ id }) => id === 'end').length, 1)
    assert.equal(rig.storage.facts('finished').length, 1)
    assert.equal(rig.metric('tokens_out_total').length, 1)
    assert.equal(
      rig.lines.some(({ level, fields }) => level === 'error' && fields['event'] === 'storage'),
      true,
    )
    assert.deepEqual([...rig.live.all()], [])
  })

  it('tries no more once the daemon has stopped, whatever is on its way', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.storage.broken = true
    rig.engine().call.finish()
    await settled()
    rig.storage.hold()
    await rig.clock.advance(1000)
    rig.settlement.stop()
    rig.storage.release()
    await settled()
    rig.storage.broken = false
    await rig.clock.advance(5000)
    assert.equal(rig.storage.facts('finished').length, 0, 'the next start finds it unfinished')
  })

  it('gives the slot to the next task although the end cannot be written', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    rig.storage.broken = true
    rig.engine().call.finish()
    await settled()
    assert.equal(rig.task('t2').phase, 'running')
  })

  it('gives the slot to the next task while it goes to disk that the one before began, which ends once that is there', async () => {
    const rig = await startRig()
    for (const task_id of ['t1', 't2', 't3']) await rig.run({ task_id })
    const tail = await rig.tail('t2')
    rig.storage.hold()
    for (const said of ['one', 'two']) {
      rig.engine().call.say(said)
      rig.engine().call.finish()
      await settled()
    }
    assert.deepEqual([rig.task('t3').replica_id, rig.pool().slotsBusy, rig.engine().running.length], ['r0', 1, 1])
    assert.deepEqual([tail.kinds, rig.storage.facts('attempt').length], ['started', 1])
    rig.storage.release()
    await settled()
    assert.deepEqual([tail.text, tail.end?.['finish_reason']], ['two', 'stop'])
    assert.equal(rig.storage.facts('attempt').length, 3)
  })

  it('keeps the slot where 32 wait for the disk: the queue does not run away from it', async () => {
    const rig = await startRig({ pools: [poolConfig({ queue: { capacity: 50 } })] })
    for (let n = 0; n < 40; n++) await rig.run({ task_id: `t${n}` })
    rig.storage.hold()
    for (let n = 0; n < 40; n++) {
      rig.engine().running[0]?.finish()
      await settled()
    }
    // The first one had its attempt on disk, and the last of the others still has its slot.
    assert.equal(rig.engine().calls.length, 1 + 32 + 1)
    assert.equal(rig.pool().slotsBusy, 1)
    rig.storage.release()
    // A few ends are worked on in a round of the event loop.
    for (let n = 0; n < 4; n++) await settled()
    assert.equal(rig.engine().calls.length, 1 + 32 + 1 + 1)
    assert.equal(rig.storage.facts('finished').length, 1 + 32 + 1)
  })

  it('does not end a task by its idle time whose engine is over while the disk stalls', async () => {
    const rig = await startRig()
    for (const task_id of ['t1', 't2']) await rig.run({ task_id })
    rig.storage.hold()
    for (let n = 0; n < 2; n++) {
      rig.engine().call.finish()
      await settled()
    }
    await rig.clock.advance(3_600_000)
    rig.storage.release()
    await settled()
    assert.equal((await rig.tail('t2')).end?.['finish_reason'], 'stop')
  })

  it('takes a claim back: the task is as it was, and who waits for its end waits on', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    const task = rig.task('t2')
    const { ended } = task
    const tail = await rig.tail('t2')
    task.claim(true)
    rig.settlement.prepare(task, { kind: 'error', error: canceled })
    assert.equal(tail.kinds, 'started')
    task.unclaim()
    await ended
    assert.deepEqual([task.phase, tail.kinds], ['queued', 'started metrics'])
    assert.notEqual(task.ended, ended)
    rig.engine().call.finish()
    await settled()
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await settled()
    assert.equal(tail.end?.['finish_reason'], 'stop')
  })

  it('keeps the text of a failed task and drops that of a canceled one, but not from the transcript', async () => {
    for (const [error, tokens] of [
      [timeout, 1],
      [canceled, 0],
    ] as const) {
      const rig = await startRig()
      await rig.run({ task_id: 't', metadata: { a: 'b' } })
      rig.engine().call.say('text')
      rig.task('t').claim(true)
      await rig.settlement.settle(rig.task('t'), { kind: 'error', error })
      const tail = await rig.tail('t')
      assert.equal(tail.frames.filter(({ event }) => event === 'token').length, tokens)
      const [transcript] = rig.storage.facts('artifact')
      const content = JSON.parse(transcript?.artifact.artifact.content ?? '') as Record<string, unknown>
      assert.deepEqual([content['text'], content['error'], content['tokens_out']], ['text', error.taskError, 1])
      assert.equal((await rig.storage.journal.find('ann', 't'))?.outcome?.artifact_id, transcript?.artifact.id)
    }
  })

  it('writes down what a task that never ran used: nothing', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    await rig.cancellation.cancel(ann, 't2')
    const outcome = (await rig.storage.journal.find('ann', 't2'))?.outcome
    assert.deepEqual(
      [outcome?.started_at, outcome?.tokens_in, outcome?.tokens_out, outcome?.replica_id],
      [undefined, undefined, undefined, undefined],
    )
    assert.equal(rig.metric('tokens_in_total').length, 0)
  })

  it('stores the result of an embedding beside its transcript, in one commit', async () => {
    const rig = await startRig({ props: { workloads: ['embedding', 'rerank'] } })
    const vectors = [
      [1, 0],
      [0, 1],
    ]
    const scores = [0.5, 1]
    const engine = rig.engine()
    Object.assign(engine, {
      embed: () => Promise.resolve({ vectors, tokens_in: 2 }),
      rerank: () => Promise.resolve({ scores, tokens_in: 4 }),
    })
    await rig.run({ task_id: 'r', workload: 'rerank', inputs: ['a', 'b'] })
    const { end, kinds } = await rig.tail('r')
    assert.equal(kinds, 'started metrics end')
    const id = String(end?.['result_artifact_id'])
    const stored = await rig.storage.artifacts.get('ann', id)
    assert.deepEqual(JSON.parse(stored?.artifact.content ?? ''), { scores })
    assert.deepEqual(stored?.artifact.tags, ['result', 'task:r'])
    assert.equal((await rig.storage.journal.find('ann', 'r'))?.outcome?.result_artifact_id, id)
    await rig.run({ task_id: 'e', workload: 'embedding', prompt: undefined, inputs: ['a', 'b'] })
    const result = String((await rig.tail('e')).end?.['result_artifact_id'])
    assert.deepEqual(JSON.parse((await rig.storage.artifacts.get('ann', result))?.artifact.content ?? ''), { vectors })
    await rig.tasks.forget(ann, 'e')
    assert.equal(await rig.storage.artifacts.get('ann', result), undefined)
  })
})
