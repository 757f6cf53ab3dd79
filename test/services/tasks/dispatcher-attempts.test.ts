import assert from 'node:assert/strict'
import { EngineError } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, refusalOf, startRig } from '../../harness/rig.ts'
import { brokenEngine } from '../../harness/scripted-engine.ts'

describe('dispatcher: attempts', () => {
  it('gives up after three attempts', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    for (let i = 0; i < 3; i++) {
      rig.engine().call.fail()
      await settled()
    }
    assert.equal(rig.engine().calls.length, 3)
    const tail = await rig.tail('t')
    assert.equal(tail.kinds, 'started metrics error')
    const message = 'The task was given up after 3 runs that failed; it may be what makes the engine fail.'
    assert.deepEqual(tail.end, { code: 'WORKER_RESET', message, retriable: false, engine: 'mock', pool_id: 'pool' })
    assert.equal(rig.pool().slotsBusy, 0)
  })

  it('goes on in the text where the engine gives the same again', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.engine().call.say('one ')
    rig.engine().call.say('two ')
    rig.engine().die()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
    await rig.clock.advance(250)
    assert.equal((await rig.tasks.get(ann, 't')).state, 'running')
    for (const piece of ['one', ' two thr', 'ee']) rig.engine().call.say(piece)
    rig.engine().call.finish()
    await settled()
    assert.equal(tail.kinds.replaceAll(' metrics', ''), 'started token token token token end')
    assert.deepEqual(
      tail.frames.flatMap(({ event, data }) => (event === 'token' ? [[data?.['t'], data?.['i']]] : [])),
      [
        ['one ', 0],
        ['two ', 1],
        ['thr', 2],
        ['ee', 3],
      ],
    )
    assert.equal(rig.sessions.info(ann, 's-t').turns, 1)
    assert.equal(rig.pool().estimator.stored, undefined, 'it says nothing of how long tasks take')
  })

  it('ends with WORKER_RESET where the engine gives less than is out already', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.say('one two')
    rig.engine().call.fail()
    await settled()
    rig.engine().call.say('one ')
    rig.engine().call.finish()
    await settled()
    const { end, text } = await rig.tail('t')
    assert.deepEqual([end?.['code'], text], ['WORKER_RESET', 'one two'])
  })

  it('runs tasks whose engine died before all that wait, in order of their acceptance', async () => {
    const rig = await startRig({ pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })] })
    for (const task_id of ['t1', 't2', 'waits1', 'waits2']) await rig.run({ task_id })
    const tail = await rig.tail('t2')
    rig.engine().calls[1]?.say('half a ')
    rig.engine().die()
    await settled()
    const waiting = (): string[] => [...rig.pool().scheduler.tasks()].map(({ accepted }) => accepted.task_id)
    assert.deepEqual(waiting(), ['t1', 't2', 'waits1', 'waits2'])
    assert.deepEqual([(await rig.tasks.get(ann, 't2')).queue_position, (await rig.tasks.get(ann, 'waits1')).queue_position], [1, 2])
    await rig.clock.advance(250)
    assert.deepEqual(waiting(), ['waits1', 'waits2'])
    rig.engine().call.say('half a story')
    rig.engine().call.finish()
    await settled()
    assert.deepEqual([tail.text, tail.end?.['finish_reason']], ['half a story', 'stop'])
    assert.deepEqual(waiting(), ['waits2'])
  })

  for (const [what, says] of [
    ['differs', ['uno']],
    ['ends too early', ['o']],
  ] as const)
    it(`ends with WORKER_RESET where the text of the second run ${what}`, async () => {
      const rig = await startRig()
      await rig.run({ task_id: 't' })
      const tail = await rig.tail('t')
      rig.engine().call.say('one')
      rig.engine().call.fail()
      await settled()
      for (const piece of says) rig.engine().call.say(piece)
      rig.engine().call.finish()
      await settled()
      assert.deepEqual([tail.text, tail.end?.['code'], tail.end?.['retriable']], ['one', 'WORKER_RESET', true])
      assert.equal(rig.pool().slotsBusy, 0)
    })

  it('gives nothing out before the attempt is durable, and waits for a disk that is full', async () => {
    const rig = await startRig()
    rig.storage.refuses = 'attempt'
    await rig.run({ task_id: 't' })
    const tail = await rig.tail('t')
    rig.engine().call.say('one ')
    rig.engine().call.say('two')
    rig.engine().call.finish({ tokens_out: 2 })
    await rig.clock.advance(2500)
    assert.equal(tail.kinds.replaceAll(' metrics', ''), 'started')
    assert.deepEqual(
      rig.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['event']),
      ['storage', 'storage', 'storage'],
    )
    rig.storage.refuses = undefined
    await rig.clock.advance(500)
    assert.deepEqual([tail.text, tail.end?.['finish_reason'], tail.end?.['tokens_out']], ['one two', 'stop', 2])
    assert.deepEqual([rig.engine().calls.length, rig.storage.facts('attempt').length], [1, 1])
  })

  it('calls the engine again only when that is durable: the task may be what makes it fail', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.storage.refuses = 'attempt'
    rig.engine().call.fail()
    await rig.clock.advance(2500)
    assert.equal(rig.engine().calls.length, 1)
    rig.storage.refuses = undefined
    await rig.clock.advance(500)
    assert.deepEqual([rig.engine().calls.length, rig.storage.facts('attempt').length], [2, 2])
  })

  it('can be canceled while the disk is full, and keeps no slot', async () => {
    const rig = await startRig()
    rig.storage.refuses = 'attempt'
    await rig.run({ task_id: 't' })
    rig.storage.broken = true
    assert.equal((await refusalOf(rig.cancellation.cancel(ann, 't'))).kind, 'pool_unavailable')
    await settled()
    assert.equal(rig.pool().slotsBusy, 0)
    rig.storage.broken = false
    await rig.clock.advance(1000)
    assert.equal((await rig.tasks.get(ann, 't')).state, 'canceled')
    assert.deepEqual(rig.engine().running, [])
  })

  it('does not run a task again that has sent a token where the engine may give another text: WORKER_RESET', async () => {
    const rig = await startRig({ props: { replayable: false } })
    await rig.run({ task_id: 't' })
    rig.engine().call.say('a')
    rig.engine().call.fail()
    await settled()
    assert.equal(rig.engine().calls.length, 1)
    const tail = await rig.tail('t')
    assert.equal(tail.kinds, 'started token metrics error')
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], ['WORKER_RESET', true])
  })

  it('does not try again what the engine refuses for good', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.fail(new EngineError('no', { retriable: false }))
    await settled()
    assert.equal(rig.engine().calls.length, 1)
    const { end } = await rig.tail('t')
    assert.deepEqual([end?.['code'], end?.['retriable'], end?.['message']], ['WORKER_RESET', false, 'The engine refused the task: no'])
  })

  it('moves a task whose replica died before the first token to another one', async () => {
    const rig = await startRig({
      pools: [
        poolConfig({
          replicas: [
            { id: 'r0', slots: 1 },
            { id: 'r1', slots: 1 },
          ],
        }),
      ],
    })
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    const tail = await rig.tail('t1')
    rig.engine('pool/r0').die()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't1')).state, 'queued')
    rig.engine('pool/r1').call.finish()
    await settled()
    const [task] = rig.pool().running
    assert.deepEqual([task?.accepted.task_id, task?.replica_id, task?.attempts], ['t1', 'r1', 2])
    rig.engine('pool/r1').call.say('a')
    rig.engine('pool/r1').call.finish()
    await settled()
    assert.equal(tail.kinds, 'started token metrics end')
    assert.equal(tail.end?.['replica_id'], 'r1')
  })

  it('waits for its only replica to come back, and gives up what kills it three times', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    for (const pause_ms of [250, 500]) {
      rig.engine().die(brokenEngine())
      await rig.clock.advance(pause_ms - 1)
      assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
      await rig.clock.advance(1)
      assert.equal((await rig.tasks.get(ann, 't')).state, 'running')
    }
    rig.engine().die(brokenEngine())
    await settled()
    const { end } = await rig.tail('t')
    assert.deepEqual([end?.['code'], end?.['retriable']], ['WORKER_RESET', false])
  })
})
