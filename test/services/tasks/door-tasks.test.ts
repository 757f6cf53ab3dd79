import assert from 'node:assert/strict'
import type { AnswerFormat, DoorAnswer } from '../../../src/services/tasks/door-tasks.ts'
import { ann, poolConfig, startRig, taskOf, type Rig } from '../../harness/rig.ts'

const format = (): AnswerFormat => ({
  ...{ own: true, begun: false, failure: undefined },
  ...{ started: () => '', part: () => '', terminal: () => '' },
})
const pools = [poolConfig({ replicas: [{ id: 'r0', slots: 4 }] })]

/** Sends a request without a session. */
const open = (rig: Rig, prompt: string): Promise<DoorAnswer<AnswerFormat>> => {
  const request = taskOf({ task_id: undefined, session_id: undefined, prompt })
  return rig.doorTasks.open({ principal: ann, request, correlation_id: 'c', stays: false }, format)
}
const isLive = (rig: Rig, { task_id }: { readonly task_id: string }): boolean => rig.live.of('ann', task_id) !== undefined

describe('tasks of doors', () => {
  it('are given to one request that comes again, however often the first one was closed, and to no other', async () => {
    const rig = await startRig({ pools })
    const first = await open(rig, 'a')
    first.source.close()
    first.source.close()
    const again = await open(rig, 'a')
    assert.deepEqual([again.attached, again.task_id], [true, first.task_id])
    assert.equal((await open(rig, 'a')).attached, false)
    await rig.clock.advance(600_000)
    assert.equal(isLive(rig, first), false, 'its time is over')
  })

  it('that have no session are left alone by others that have none', async () => {
    const rig = await startRig({ pools })
    const first = await open(rig, 'a')
    first.source.close()
    await open(rig, 'b')
    assert.equal(isLive(rig, first), true)
    assert.equal((await open(rig, 'a')).attached, true)
  })

  it('wait for nobody any more once the daemon has stopped', async () => {
    const rig = await startRig({ pools })
    const [gone, late] = [await open(rig, 'a'), await open(rig, 'b')]
    const { pending } = rig.clock
    gone.source.close()
    assert.equal(rig.clock.pending, pending + 1)
    rig.doorTasks.stop()
    late.source.close()
    assert.equal(rig.clock.pending, pending)
  })
})
