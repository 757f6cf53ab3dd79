import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RankedQueue, type Ranked } from '../../src/domain/ranked-queue.ts'

const step = fc.record({
  name: fc.constantFrom('push', 'push', 'push', 'remove', 'hide', 'show', 'first', 'ahead', 'weigh'),
  pick: fc.nat(999),
  weight: fc.nat(50),
})

describe('ranked queue', () => {
  it('does what an array does, through compactions of the smallest queue', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const queue = new RankedQueue<Ranked>(2)
        let all: Ranked[] = []
        for (const { name, pick, weight } of steps) {
          const one = all[pick % Math.max(1, all.length)]
          const visible = all.filter(({ hidden }) => !hidden)
          if (name === 'push') {
            const element: Ranked = { weight, slot: -1, hidden: false }
            queue.push(element)
            all.push(element)
          } else if (name === 'weigh') {
            const count = pick % (visible.length + 2)
            assert.equal(
              queue.weightOfFirst(count),
              visible.slice(0, count).reduce((sum, element) => sum + element.weight, 0),
            )
          } else if (name === 'first') {
            assert.equal(queue.first(), visible[0])
            assert.equal(
              queue.first((element) => element.weight > 25),
              visible.find((element) => element.weight > 25),
            )
          } else if (one !== undefined) {
            if (name === 'ahead' && !one.hidden) assert.equal(queue.ahead(one), visible.indexOf(one))
            if (name === 'hide') queue.hide(one)
            if (name === 'show') queue.show(one)
            if (name === 'remove') {
              queue.remove(one)
              all = all.filter((other) => other !== one)
            }
          }
          const seen = all.filter(({ hidden }) => !hidden)
          assert.equal(queue.size, seen.length)
          assert.equal(
            queue.weight,
            seen.reduce((sum, element) => sum + element.weight, 0),
          )
        }
      }),
      { numRuns: 400 },
    )
  })

  it('weighs nothing when empty, whatever fractions were in it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (weights) => {
        const queue = new RankedQueue<Ranked>()
        const elements = weights.map((weight): Ranked => ({ weight, slot: -1, hidden: false }))
        for (const element of elements) queue.push(element)
        for (const element of elements) queue.remove(element)
        assert.equal(queue.weight, 0)
        assert.ok(queue.weightOfFirst(1) === 0)
        assert.equal(queue.first(), undefined)
      }),
    )
  })
})
