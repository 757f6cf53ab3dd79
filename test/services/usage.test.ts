import assert from 'node:assert/strict'
import { FakeClock } from '../harness/fake-clock.ts'
import { ann, refusalOf, startRig } from '../harness/rig.ts'

describe('usage', () => {
  it('has a refusal on its own day, also where that is written on the next, at the second try', async () => {
    const rig = await startRig({ clock: new FakeClock(Date.UTC(2026, 0, 1, 23, 59, 58)) })
    await refusalOf(rig.admit({ max_tokens: 8192 }))
    rig.storage.broken = true
    await rig.clock.advance(6000)
    assert.equal(rig.lines.filter(({ message }) => message.startsWith('Counted refusals cannot be written')).length, 1)
    rig.storage.broken = false
    await refusalOf(rig.admit({ max_tokens: 8192 }))
    await rig.clock.advance(6000)
    const { usage } = await rig.usage.list(ann, {})
    assert.deepEqual(usage.map(({ day, refusals }) => [day, refusals]).sort(), [
      ['2026-01-01', 1],
      ['2026-01-02', 1],
    ])
  })
})
