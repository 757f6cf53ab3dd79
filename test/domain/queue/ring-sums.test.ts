import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RingSums } from '../../../src/domain/queue/ring-sums.ts'

const step = fc.record({
  slot: fc.nat(2 ** 16 - 1),
  near: fc.boolean(),
  by: fc.constantFrom<1 | -1>(1, -1),
  weight: fc.oneof(fc.nat(50), fc.constantFrom(0, 2 ** 40 + 1, 2 ** 39 - 1)),
})

describe('ring sums', () => {
  it('count, weigh and find as an array does, in one block and in several', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }),
        fc.constantFrom(2, 8, 32, 64, 1024, 2048, 2 ** 16),
        fc.nat(2 ** 16 - 1),
        (steps, slots, first) => {
          let head = first % slots
          const sums = new RingSums(slots, head)
          const place = (slot: number): number => (slot - head) & (slots - 1)
          const all = new Map<number, number>()
          for (const { slot: wide, near, by, weight } of steps) {
            // Many side by side, some far off.
            const slot = (near ? head + (wide % 40) - 20 : wide) & (slots - 1)
            const has = all.get(slot)
            assert.equal(sums.weightAt(slot), has ?? -1)
            if (has === undefined) {
              sums.put(slot, weight)
              all.set(slot, weight)
            } else {
              assert.equal(sums.take(slot), has)
              all.delete(slot)
            }
            if (!all.has(by === 1 ? head : (head - 1) & (slots - 1))) {
              sums.advance(by)
              head = (head + by) & (slots - 1)
            }
            const inOrder = [...all].sort(([a], [b]) => place(a) - place(b))
            assert.equal(sums.count, inOrder.length)
            assert.equal(
              sums.weight,
              inOrder.reduce((sum, [, one]) => sum + one, 0),
            )
            assert.equal(sums.countBefore(slot), inOrder.filter(([at]) => place(at) < place(slot)).length)
            const rank = wide % (inOrder.length + 1)
            const found = inOrder[rank]
            if (found !== undefined) assert.equal(sums.slotOf(rank), found[0])
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
