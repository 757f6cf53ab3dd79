import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig } from '../../harness/rig.ts'

const slots = (count: number, fields: Record<string, unknown> = {}): Record<string, unknown>[] => [
  poolConfig({ replicas: [{ id: 'r0', slots: count }], ...fields }),
]

describe('dispatcher', () => {
  it('runs a task from its first token to its end, with nobody reading', async () => {
    const rig = await startRig()
    await rig.clock.advance(0.5)
    await rig.run({ task_id: 't' })
    await rig.clock.advance(20)
    rig.engine().call.say('a')
    await rig.clock.advance(30)
    rig.engine().call.say('b')
    rig.engine().call.finish({ finish_reason: 'length', tokens_in: 5, tokens_out: 2, kv_warm: true })
    await settled()
    const tail = await rig.tail('t')
    assert.equal(tail.kinds, 'started token token metrics end')
    assert.equal(tail.text, 'ab')
    const { artifact_id, ...end } = tail.end ?? {}
    const expected = {
      tokens_in: 5,
      tokens_out: 2,
      queue_ms: 1,
      first_token_ms: 21,
      decode_ms: 30,
      finish_reason: 'length',
      replica_id: 'r0',
    }
    assert.deepEqual(end, expected)
    const record = await rig.storage.journal.find('ann', 't')
    assert.ok(record?.outcome !== undefined)
    assert.equal(record.outcome.artifact_id, artifact_id)
    assert.equal(record.outcome.state, 'completed')
    for (const at of [record.outcome.started_at, record.outcome.finished_at, record.task.accepted_at])
      assert.equal(Number.isInteger(at), true, 'what is stored is floored')
    assert.equal(rig.sessions.info(ann, 's-t').kv_warmth, true)
    assert.equal(rig.live.size, 0)
    assert.equal(rig.pool().slotsBusy, 0)
  })

  it('fills free slots as they come, interactive before batch, and no more than there are', async () => {
    const rig = await startRig({ pools: slots(2) })
    for (const [task_id, priority] of [
      ['b1', 'batch'],
      ['b2', 'batch'],
      ['b3', 'batch'],
      ['i1', 'interactive'],
      ['i2', 'interactive'],
    ] as const)
      await rig.run({ task_id, priority })
    const running = (): string[] => [...rig.pool().running].map(({ accepted }) => accepted.task_id)
    assert.deepEqual(running(), ['b1', 'b2'])
    rig.engine().calls[0]?.finish()
    await settled()
    assert.deepEqual(running(), ['b2', 'i1'])
    rig.engine().calls[1]?.finish()
    rig.engine().calls[2]?.finish()
    await settled()
    assert.deepEqual(running(), ['i2', 'b3'])
    assert.equal(rig.engine().running.length, 2)
  })

  it('hands the engine what the client asked for', async () => {
    const rig = await startRig({ pools: slots(2, { max_tokens_out: 50 }) })
    await rig.run({ session_id: 's', prompt: 'p', seed: 9, max_tokens: 50, sampling: { stop: ['x'] }, kv_hint: 'reuse' })
    assert.deepEqual(rig.engine().call.request, {
      prompt: { text: 'p' },
      max_tokens: 50,
      seed: 9,
      sampling: { stop: ['x'] },
      chat: {},
      kv: 'reuse',
      session: 'ann/s',
    })
    await rig.run({ session_id: 's', determinism: 'strict', kv_hint: 'reuse' })
    assert.equal(rig.engine().call.request.kv, 'cold', 'strict never runs on a warm cache')
  })

  it('tries an engine that fails before the first token up to three times, each attempt journaled', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.fail()
    await settled()
    assert.equal(rig.engine().calls.length, 2)
    rig.engine().call.fail()
    await settled()
    rig.engine().call.say('third time lucky')
    rig.engine().call.finish()
    await settled()
    const tail = await rig.tail('t')
    assert.equal(tail.kinds, 'started token metrics end')
    assert.deepEqual(
      rig.storage.facts('attempt').map(({ attempt, replica_id }) => [attempt, replica_id]),
      [
        [1, 'r0'],
        [2, 'r0'],
        [3, 'r0'],
      ],
    )
    assert.equal(rig.sessions.info(ann, 's-t').turns, 1, 'a run again is one turn')
    assert.equal(rig.metric('tasks_started_total').length, 1)
  })

  it('tells nobody what an unexpected error says, but the log', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't' })
    rig.engine().call.fail(new TypeError('secret'))
    await settled()
    const { end } = await rig.tail('t')
    assert.equal(end?.['code'], 'INTERNAL')
    assert.equal(JSON.stringify(rig.storage.durable).includes('secret'), false)
    assert.equal(
      rig.lines.some(({ fields }) => fields['err'] instanceof TypeError),
      true,
    )
  })

  it('goes on with the queue when the replica is back', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't1' })
    await rig.run({ task_id: 't2' })
    rig.engine().die()
    const states = async (): Promise<string[]> => [(await rig.tasks.get(ann, 't1')).state, (await rig.tasks.get(ann, 't2')).state]
    await rig.clock.advance(249)
    assert.deepEqual(await states(), ['queued', 'queued'])
    await rig.clock.advance(1)
    assert.deepEqual(await states(), ['running', 'queued'])
    rig.engine().call.finish()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't2')).state, 'running')
  })

  it('expires queued tasks at their deadline, and no running one', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 'running', deadline_ms: 1000 })
    await rig.run({ task_id: 'late', deadline_ms: 1000 })
    await rig.run({ task_id: 'later', deadline_ms: 2000 })
    const tail = await rig.tail('late')
    await rig.clock.advance(999)
    assert.equal(tail.end, undefined)
    await rig.clock.advance(1)
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], ['DEADLINE_UNMET', true])
    assert.deepEqual(
      [...rig.live.all()].map(({ accepted }) => accepted.task_id),
      ['running', 'later'],
    )
    assert.equal(rig.pool().scheduler.depth(), 1)
    const depths = rig.metric('queue_depth').filter(({ labels }) => labels['priority'] === 'interactive')
    assert.equal(depths.at(-1)?.value, 1)
    assert.equal((await rig.storage.journal.find('ann', 'late'))?.outcome?.state, 'failed')
    assert.deepEqual(
      rig.metric('tasks_canceled_total').map(({ labels }) => labels['reason']),
      ['deadline'],
    )
    assert.equal(rig.sessions.info(ann, 's-late').turns, 0)
  })
})
