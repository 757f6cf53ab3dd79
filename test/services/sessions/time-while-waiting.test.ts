import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, startRig, type Rig } from '../../harness/rig.ts'

const keyBudgets = new Map([['ann', { time_ms: 1000 }]])

const left = (rig: Rig): number | undefined => rig.sessions.remaining('ann', 'any').time_ms

describe('engine time of a task that was given back to the queue', () => {
  it('stands still while it waits, and is stored as it was when it was given back', async () => {
    const rig = await startRig({ keyBudgets, pools: [poolConfig()] })
    await rig.run({ task_id: 't' })
    await rig.clock.advance(100)
    assert.equal(left(rig), 900)
    rig.engine().onStart = () => new Promise(() => undefined)
    rig.engine().die()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
    // Far longer than all of its budget.
    await rig.clock.advance(60_000)
    assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
    assert.equal(left(rig), 900)
    assert.deepEqual((await rig.storage.sessions.spentByKeys()).get('ann')?.time_ms, 100)
  })

  it('counts against new budgets from when they were given', async () => {
    const rig = await startRig()
    await rig.run({ task_id: 't', session_id: 's' })
    await rig.clock.advance(400)
    await rig.sessions.put(ann, 's', undefined, { time_ms: 1000 })
    await rig.clock.advance(300)
    rig.engine().call.finish()
    await settled()
    assert.equal(rig.sessions.remaining('ann', 's').time_ms, 700)
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.equal(next.sessions.remaining('ann', 's').time_ms, 700)
  })

  it('goes on with its next run, to the last of the budget', async () => {
    const rig = await startRig({ keyBudgets, pools: [poolConfig()] })
    await rig.run({ task_id: 't' })
    await rig.clock.advance(100)
    rig.engine().die()
    await settled()
    assert.equal((await rig.tasks.get(ann, 't')).state, 'queued')
    await rig.clock.advance(250)
    assert.equal((await rig.tasks.get(ann, 't')).state, 'running')
    assert.equal(left(rig), 900)
    await rig.clock.advance(900)
    assert.equal((await rig.tasks.get(ann, 't')).state, 'running', 'what is used to the last is not overdrawn')
    await rig.clock.advance(1)
    await settled()
    const { error } = await rig.tasks.get(ann, 't')
    assert.equal(error?.code, 'BUDGET_EXHAUSTED')
    assert.equal(left(rig), 0)
  })
})
