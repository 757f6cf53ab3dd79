import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, startRig } from '../../harness/rig.ts'

describe('what is told of a pool', () => {
  it('is how much waits of each class, whichever of them has changed', async () => {
    const rig = await startRig()
    const told = (priority: string): unknown => rig.metric('queue_depth').findLast(({ labels }) => labels['priority'] === priority)?.value
    await rig.run()
    for (const priority of ['batch', 'interactive'] as const) {
      await rig.run({ task_id: priority, priority })
      assert.equal(told(priority), 1)
    }
    for (const priority of ['batch', 'interactive'] as const) {
      await rig.cancellation.cancel(ann, priority)
      assert.equal(told(priority), 0)
    }
  })

  it('is when a task starts: later where its engine is not up yet, on the average as well', async () => {
    const rig = await startRig()
    rig.engine().onStart = () => Promise.reject(new Error('cannot'))
    rig.engine().die()
    await settled()
    const { ms, mean } = rig.pool().predictStart({ position: 0, work_ms: 0, may_pass: 0 }, 'interactive')
    assert.ok(ms > 0)
    assert.equal(mean, ms)
  })
})
