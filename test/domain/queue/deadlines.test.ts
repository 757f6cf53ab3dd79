import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Deadlines } from '../../../src/domain/queue/deadlines.ts'

const step = fc.record({
  name: fc.constantFrom('put', 'put', 'put', 'clear', 'due'),
  slot: fc.nat(9999),
  at: fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 2000, noNaN: true })),
})

describe('deadlines', () => {
  it('tell what is due and what comes first, as a map does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.constantFrom(2, 128, 256, 1024), (steps, slots) => {
        const deadlines = new Deadlines(slots)
        const all = new Map<number, number>()
        for (const { name, slot: wide, at } of steps) {
          const slot = wide % slots
          if (name === 'put') {
            deadlines.put(slot, at)
            all.set(slot, at)
          } else if (name === 'clear') {
            deadlines.clear(slot)
            all.delete(slot)
          } else
            assert.deepEqual(
              deadlines.due(at).sort((a, b) => a - b),
              [...all.keys()].filter((one) => (all.get(one) ?? Infinity) <= at).sort((a, b) => a - b),
            )
          assert.equal(deadlines.at(slot), all.get(slot) ?? Infinity)
          const soonest = deadlines.soonest()
          assert.equal(soonest === undefined ? Infinity : deadlines.at(soonest), Math.min(...all.values()))
        }
        assert.equal(deadlines.due(Infinity).length, all.size)
      }),
      { numRuns: 300 },
    )
  })
})
