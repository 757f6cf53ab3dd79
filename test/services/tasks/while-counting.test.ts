import assert from 'node:assert/strict'
import type { Prompt } from '../../../src/ports/engine.ts'
import { settled } from '../../harness/fake-clock.ts'
import { refusalOf, startRig, type Rig } from '../../harness/rig.ts'

/** A rig whose engine counts when it is told to. */
async function slowCounts(): Promise<{ readonly rig: Rig; readonly counted: (tokens: number) => void; readonly asked: Prompt[] }> {
  const rig = await startRig()
  const gate = Promise.withResolvers<number>()
  const asked: Prompt[] = []
  rig.engine().onCount = (prompt) => {
    asked.push(prompt)
    return gate.promise
  }
  return { rig, counted: gate.resolve, asked }
}

describe('what happens while the tokens of a new task are counted', () => {
  it('a stop: the task is refused and nothing of it is written, reserved or called', async () => {
    const { rig, counted, asked } = await slowCounts()
    const refused = refusalOf(rig.admit({ task_id: 't', session_id: 's' }))
    await settled()
    assert.equal(asked.length, 1)
    await rig.quiesce(1000)
    const before = rig.storage.commits.length
    counted(3)
    const { kind, details } = await refused
    assert.deepEqual([kind, details.retry_after_ms], ['pool_unready', 5000])
    await settled()
    assert.deepEqual([rig.storage.commits.length - before, rig.live.size, rig.engine().calls.length], [0, 0, 0])
    assert.equal(rig.pool().scheduler.depth(), 0)
    assert.equal(rig.clock.pending, 0)
  })

  it('a drain of the only pool: the task is refused as one that comes later', async () => {
    const { rig, counted } = await slowCounts()
    const refused = refusalOf(rig.admit({ task_id: 't' }))
    await settled()
    rig.drain.drain('pool', 1000)
    counted(3)
    const { kind } = await refused
    assert.equal(kind, (await refusalOf(rig.admit({ task_id: 'later' }))).kind)
    assert.equal(kind, 'pool_unready')
    assert.deepEqual([rig.live.size, rig.engine().calls.length], [0, 0])
  })
})
