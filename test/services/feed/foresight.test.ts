import assert from 'node:assert/strict'
import { settled } from '../../harness/fake-clock.ts'
import { ann, boss, startRig, teach } from '../../harness/rig.ts'
import { Watcher } from './watcher.kit.ts'

describe('what the feed foresees', () => {
  it('is renewed every second where few wait: a task that ends early moves all behind it', async () => {
    const rig = await startRig()
    teach(rig.pool())
    const watcher = new Watcher(rig.feed, boss).read()
    for (let n = 0; n < 12; n++) await rig.run({ task_id: `t${n}`, max_tokens: 900 })
    for (let second = 1; second <= 10; second++) {
      await rig.clock.advance(1000)
      for (const { task_id, start_at } of watcher.read().picture.rows.values()) {
        if (start_at === undefined) continue
        const { predicted_start_ms = 0 } = await rig.tasks.get(ann, task_id)
        // It is told anew where what is counted down is off by more than a second and 5 %.
        const told_ms = Math.max(0, start_at - rig.clock.now())
        assert.ok(
          Math.abs(told_ms - predicted_start_ms) <= 1000 + predicted_start_ms * 0.05,
          `${task_id}: ${told_ms} for ${predicted_start_ms}`,
        )
      }
      rig.engine().call.finish()
      await settled()
    }
  })
})
