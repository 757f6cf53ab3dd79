import assert from 'node:assert/strict'
import { startRig, teach } from '../../harness/rig.ts'

describe('what the pools have learned', () => {
  it('is stored each minute that brought something new, and in no other', async () => {
    const rig = await startRig()
    const stored = (): number => rig.storage.facts('pool_put').length
    const before = stored()
    await rig.clock.advance(60_000)
    const nothing = stored()
    assert.ok(rig.lines.every(({ level }) => level === 'info'))
    for (const minute of [1, 2, 3]) {
      teach(rig.pool(), 1)
      await rig.clock.advance(60_000)
      assert.equal(stored(), nothing + minute)
      await rig.clock.advance(60_000)
      assert.equal(stored(), nothing + minute, 'nothing is written anew')
    }
    assert.ok(nothing - before <= 1)
    const next = await startRig({ storage: rig.storage, clock: rig.clock })
    assert.deepEqual(next.pool().estimator.stored, rig.pool().estimator.stored)
  })
})
