import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, refusalOf, startRig, poolConfig, type Rig, type RigOptions } from '../../harness/rig.ts'
import { sessionsOf } from '../../harness/sessions-stored.ts'

const options: RigOptions = {
  pools: [poolConfig({ replicas: [{ id: 'r0', slots: 2 }] })],
  keyBudgets: new Map([['ann', { tokens: 1000 }]]),
}

/** Two tasks run in one session; the end of the first cannot be written at once. */
async function unwritten(): Promise<Rig> {
  const rig = await startRig(options)
  await rig.run({ task_id: 't1', session_id: 's' })
  await rig.run({ task_id: 't2', session_id: 's' })
  rig.storage.failing = 1
  rig.engine().calls[0]?.finish({ tokens_in: 3, tokens_out: 8 })
  await settled()
  assert.equal(rig.live.size, 2)
  return rig
}

const restart = ({ storage, clock }: Rig): Promise<Rig> => startRig({ ...options, storage, clock })

describe('an end that is written at the second try', () => {
  it('brings no spent budget back: what was booked meanwhile stays booked', async () => {
    const rig = await unwritten()
    rig.engine().calls[1]?.finish({ tokens_in: 3, tokens_out: 9 })
    const first = rig.task('t1')
    assert.equal(rig.settlement.isUnwritten(first), true)
    await rig.clock.advance(1000)
    assert.equal(rig.live.size, 0)
    assert.equal(rig.settlement.isUnwritten(first), false)
    const next = await restart(rig)
    assert.deepEqual(next.sessions.remaining('ann', 's'), { tokens: 1000 - 11 - 12 })
    assert.equal(next.sessions.info(ann, 's').turns, 2)
  })

  it('and is not written before the daemon dies: its spending is in no end of another task', async () => {
    const rig = await unwritten()
    rig.engine().calls[1]?.finish({ tokens_in: 3, tokens_out: 9 })
    await settled()
    assert.equal(rig.live.size, 1)
    // Killed here: the first task is unfinished, runs again, and pays when that has ended.
    const [session] = await sessionsOf(rig.storage.sessions)
    assert.deepEqual([session?.spent.tokens, (await rig.storage.sessions.spentByKeys()).get('ann')?.tokens], [12, 12])
    const next = await restart(rig)
    next.engine().calls[0]?.finish({ tokens_in: 3, tokens_out: 8 })
    await settled()
    assert.equal(next.live.size, 0)
    assert.deepEqual(next.sessions.remaining('ann', 's'), { tokens: 1000 - 12 - 11 })
  })

  it('counts the turn of a dispatch that nobody could write', async () => {
    const rig = await startRig(options)
    rig.storage.refuses = 'attempt'
    await rig.run({ task_id: 't1', session_id: 's' })
    await settled()
    await rig.cancellation.cancel(ann, 't1')
    rig.storage.refuses = undefined
    await rig.run({ task_id: 't2', session_id: 's' })
    rig.engine().calls[1]?.finish({ tokens_in: 3, tokens_out: 9 })
    await settled()
    assert.deepEqual([(await sessionsOf(rig.storage.sessions))[0]?.turns, rig.sessions.info(ann, 's').turns], [2, 2])
  })

  it('counts the engine time of a run whose failure nobody could write', async () => {
    const timed: RigOptions = { ...options, keyBudgets: new Map([['ann', { time_ms: 10_000 }]]) }
    const rig = await startRig(timed)
    await rig.run({ task_id: 't1', session_id: 's' })
    await rig.clock.advance(400)
    rig.storage.refuses = 'session_spent'
    rig.engine().die()
    await settled()
    rig.storage.refuses = undefined
    await rig.clock.advance(250)
    rig.engine().call.finish()
    await settled()
    const next = await startRig({ ...timed, storage: rig.storage, clock: rig.clock })
    assert.deepEqual(next.sessions.remaining('ann', 's'), { time_ms: 9600 })
  })

  it('brings no deleted session back', async () => {
    const rig = await unwritten()
    await rig.sessions.delete(ann, 's')
    await rig.clock.advance(1000)
    rig.engine().calls[1]?.finish()
    await settled()
    const next = await restart(rig)
    assert.equal((await refusalOf(Promise.resolve().then(() => next.sessions.info(ann, 's')))).kind, 'not_found')
  })

  it('keeps the new budgets that a session was given meanwhile', async () => {
    const rig = await unwritten()
    await rig.sessions.put(ann, 's', undefined, { tokens: 50 })
    await rig.clock.advance(1000)
    rig.engine().calls[1]?.finish({ tokens_in: 3, tokens_out: 9 })
    await settled()
    const next = await restart(rig)
    assert.deepEqual(next.sessions.remaining('ann', 's'), rig.sessions.remaining('ann', 's'))
  })

  it('is true of the facts of a dispatch as well', async () => {
    const rig = await startRig(options)
    rig.storage.refuses = 'attempt'
    await rig.run({ task_id: 't1', session_id: 's' })
    rig.storage.refuses = undefined
    await rig.run({ task_id: 't2', session_id: 's' })
    rig.engine().calls[1]?.finish({ tokens_in: 3, tokens_out: 9 })
    await settled()
    await rig.clock.advance(1000)
    assert.equal((await rig.storage.sessions.spentByKeys()).get('ann')?.tokens, 12)
  })
})
