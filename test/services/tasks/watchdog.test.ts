import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig, type Rig } from '../../harness/rig.ts'

const timeouts = { wall_ms: 1000, idle_ms: 300, abort_ms: 50 }

/** A task that runs on the only slot, and one that waits. */
async function runningRig(fields: Record<string, unknown> = {}): Promise<Rig> {
  const rig = await startRig({ pools: [poolConfig({ timeouts, ...fields })] })
  await rig.run({ task_id: 't' })
  await rig.run({ task_id: 'next' })
  return rig
}

/** Says a token every 100 ms. */
async function chat(rig: Rig, tokens: number): Promise<void> {
  for (let i = 0; i < tokens; i++) {
    await rig.clock.advance(100)
    rig.engine().call.say(`${i} `)
  }
}

describe('watchdog', () => {
  it('ends a task that is silent before its first token', async () => {
    const rig = await runningRig()
    const tail = await rig.tail('t')
    await rig.clock.advance(299)
    assert.equal(tail.end, undefined)
    await rig.clock.advance(1)
    assert.deepEqual([tail.end?.['code'], tail.end?.['retriable']], ['DECODE_TIMEOUT', true])
    assert.match(String(tail.end?.['message']), /idle_ms \(300\)/)
  })

  it('ends a task that falls silent, counted from its last token to the millisecond', async () => {
    const rig = await runningRig()
    const tail = await rig.tail('t')
    await chat(rig, 5)
    await rig.clock.advance(299)
    assert.equal(tail.end, undefined)
    await rig.clock.advance(1)
    assert.equal(tail.end?.['code'], 'DECODE_TIMEOUT')
    assert.equal(tail.text, '0 1 2 3 4 ')
  })

  it('ends a task that talks on and on', async () => {
    const rig = await runningRig()
    const tail = await rig.tail('t')
    await chat(rig, 9)
    assert.equal(tail.end, undefined)
    await rig.clock.advance(100)
    assert.equal(tail.end?.['code'], 'DECODE_TIMEOUT')
    assert.match(String(tail.end['message']), /wall_ms \(1000\)/)
    assert.equal((await rig.storage.journal.find('ann', 't'))?.outcome?.tokens_out, 9)
  })

  it('frees the slot when the engine confirms, and lets the next task run in peace', async () => {
    const rig = await runningRig()
    const [first] = rig.engine().calls
    await rig.clock.advance(300)
    assert.equal(first?.signal.aborted, true)
    assert.equal(rig.engine().calls.length, 2)
    first.say('late')
    assert.equal(rig.task('next').log.text, '')
    await rig.clock.advance(299)
    rig.engine().call.say('a')
    rig.engine().call.finish()
    await settled()
    assert.equal((await rig.tail('next')).frames.at(-1)?.event, 'end')
    assert.equal(rig.engine().stops, 0)
    // Two of the dispatcher's, the streams', the sessions', the usage's, the retention's, the estimates', the feed's and the look at the disk; nothing of the tasks.
    assert.equal(rig.clock.pending, 9)
  })

  it('lets a long run be where the limits allow it', async () => {
    const rig = await runningRig({ timeouts: { ...timeouts, wall_ms: 10_000 } })
    await chat(rig, 50)
    rig.engine().call.finish()
    await settled()
    assert.equal((await rig.storage.journal.find('ann', 't'))?.outcome?.state, 'completed')
  })

  it('takes no token after it gave up, whatever the engine sends', async () => {
    const rig = await runningRig()
    rig.engine().deaf = true
    const tail = await rig.tail('t')
    rig.engine().call.say('a')
    await rig.clock.advance(300)
    rig.engine().call.say('b')
    await rig.clock.advance(50)
    assert.equal(tail.text, 'a')
    assert.equal(tail.end?.['code'], 'DECODE_TIMEOUT')
  })

  it('takes an engine down that does not confirm an abort in time, and starts it again', async () => {
    const rig = await runningRig()
    rig.engine().deaf = true
    await rig.clock.advance(349)
    assert.equal(rig.pool().ready, true)
    await rig.clock.advance(1)
    const [replica] = rig.pool().replicas
    assert.deepEqual([replica?.state, replica?.busy, rig.engine().stops], ['down', 0, 1])
    assert.match(replica?.last_error ?? '', /did not confirm an abort within 50 ms/)
    rig.engine().deaf = false
    await rig.clock.advance(250)
    assert.equal(rig.pool().ready, true)
    assert.deepEqual(
      [...rig.pool().running].map(({ accepted }) => accepted.task_id),
      ['next'],
    )
  })

  it('does the same for an engine that does not confirm a cancel; the client does not wait for it', async () => {
    const rig = await runningRig()
    rig.engine().deaf = true
    await rig.cancellation.cancel(ann, 't')
    assert.equal((await rig.storage.journal.find('ann', 't'))?.outcome?.state, 'canceled')
    assert.deepEqual(
      [...rig.pool().running].map(({ accepted }) => accepted.task_id),
      ['t'],
      'the slot is free only when the engine confirms',
    )
    assert.equal(rig.engine().running.length, 1)
    await rig.clock.advance(50)
    assert.equal(rig.pool().replicas[0]?.state, 'down')
    await rig.clock.advance(250)
    assert.deepEqual(
      [...rig.pool().running].map(({ accepted }) => accepted.task_id),
      ['next'],
    )
  })

  it('lets a cancel that comes between a timeout and its confirmation win', async () => {
    const rig = await runningRig()
    rig.engine().deaf = true
    await rig.clock.advance(300)
    await rig.cancellation.cancel(ann, 't')
    await rig.clock.advance(50)
    const finished = rig.storage.facts('finished').filter(({ key }) => key.task_id === 't')
    assert.deepEqual(
      finished.map(({ outcome }) => outcome.state),
      ['canceled'],
    )
  })
})
