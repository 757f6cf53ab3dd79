import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RankSums } from '../../src/domain/rank-sums.ts'

const step = fc.record({
  slot: fc.nat(2 ** 16 - 1),
  near: fc.boolean(),
  weight: fc.oneof(fc.nat(50), fc.constantFrom(0, 2 ** 40 + 1, 2 ** 39 - 1)),
})

describe('rank sums', () => {
  it('count, weigh and find as an array does, on one level and on several', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }),
        fc.constantFrom(1, 2, 32, 64, 1024, 2048, 2 ** 16),
        (steps, slots) => {
          const sums = new RankSums(slots)
          const all = new Map<number, number>()
          for (const { slot: wide, near, weight } of steps) {
            // Many side by side, some far off.
            const slot = (near ? wide % 40 : wide) % slots
            const has = all.get(slot)
            assert.equal(sums.weightAt(slot), has ?? -1)
            if (has === undefined) {
              sums.put(slot, weight)
              all.set(slot, weight)
            } else {
              assert.equal(sums.take(slot), has)
              all.delete(slot)
            }
            const inOrder = [...all].sort(([a], [b]) => a - b)
            assert.equal(sums.count, inOrder.length)
            assert.equal(
              sums.weight,
              inOrder.reduce((sum, [, one]) => sum + one, 0),
            )
            assert.equal(sums.countBefore(slot), inOrder.filter(([at]) => at < slot).length)
            const rank = wide % Math.max(1, inOrder.length)
            const found = inOrder[rank]
            if (found === undefined) continue
            assert.equal(sums.slotOf(rank), found[0])
            assert.equal(
              sums.weightOfFirst(rank),
              inOrder.slice(0, rank).reduce((sum, [, one]) => sum + one, 0),
            )
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
