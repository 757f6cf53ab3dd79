import assert from 'node:assert/strict'
import { refusalOf, startRig } from '../../harness/rig.ts'

describe('a key that has as many sessions as it may', () => {
  it('is told when those that have expired are swept', async () => {
    const rig = await startRig({ sessions: { ttl_ms: 600_000 }, keyLimits: { ann: { sessions: 1 } } })
    await rig.run()
    await rig.clock.advance(90_000)
    const { kind, details } = await refusalOf(rig.admit())
    assert.deepEqual([kind, details.retry_after_ms], ['rate_limited', 30_000])
  })
})
