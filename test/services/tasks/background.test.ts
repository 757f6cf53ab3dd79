import assert from 'node:assert/strict'
import type { DaemonEvent } from '../../../src/domain/daemon-events.ts'
import { settled } from '../../harness/fake-clock.ts'
import { ann, poolConfig, refusalOf, startRig, taskOf, type Rig, type TaskFields } from '../../harness/rig.ts'

const line = async (rig: Rig, fields: TaskFields = {}): Promise<unknown> => {
  const reply = await rig.admission.admit(ann, taskOf(fields), 'c', { background: true })
  await settled()
  return reply
}
const pools = [poolConfig({ queue: { capacity: 4 } })]

describe('a line of a batch', () => {
  it('leaves half of the queue to others', async () => {
    const rig = await startRig({ pools })
    for (let i = 0; i < 3; i++) await line(rig)
    assert.equal(rig.pool().scheduler.depth(), 2)
    assert.equal((await refusalOf(line(rig))).kind, 'queue_full')
    await rig.run()
    assert.equal(rig.pool().scheduler.depth(), 3)
  })

  it('is refused only by what waiting does not help with', async () => {
    const rig = await startRig({ pools })
    const refused: DaemonEvent[] = []
    rig.events.listen((event) => {
      if (event.type === 'task_refused') refused.push(event)
    })
    for (let i = 0; i < 3; i++) await line(rig)
    await refusalOf(line(rig))
    assert.equal(refused.length, 0)
    await refusalOf(line(rig, { max_tokens: 100_000 }))
    assert.equal(refused.length, 1)
  })

  it('counts against no rate, and its session is kept by nobody', async () => {
    const rig = await startRig({ pools, keyLimits: { ann: { requests_per_minute: 1, sessions: 1 } } })
    await rig.run()
    for (const session_id of ['s1', 's2']) await line(rig, { session_id })
    assert.throws(() => rig.sessions.info(ann, 's1'), /No such session/)
    assert.equal(rig.storage.facts('session_put').length, 1)
    assert.equal((await refusalOf(rig.admit())).kind, 'rate_limited')
  })
})
