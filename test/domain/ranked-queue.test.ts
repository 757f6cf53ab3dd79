import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RankedQueue, type Ranked } from '../../src/domain/ranked-queue.ts'

interface Weighed extends Ranked {
  readonly weight: number
}

const weighed = (weight: number): Weighed => ({ weight, slot: -1, hidden: false })

const step = fc.record({
  name: fc.constantFrom('push', 'push', 'push', 'push', 'shift', 'shift', 'remove', 'hide', 'show', 'first', 'ahead', 'weigh'),
  pick: fc.nat(999),
  weight: fc.nat(50),
})

describe('ranked queue', () => {
  it('does what an array does, round the smallest ring and through larger and smaller ones', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const queue = new RankedQueue<Weighed>(2)
        let all: Weighed[] = []
        for (const { name, pick, weight } of steps) {
          const one = all[pick % Math.max(1, all.length)]
          const visible = all.filter(({ hidden }) => !hidden)
          if (name === 'push') {
            const element = weighed(weight)
            queue.push(element, weight)
            all.push(element)
          } else if (name === 'weigh') {
            const count = pick % (visible.length + 2)
            assert.equal(
              queue.weightOfFirst(count),
              visible.slice(0, count).reduce((sum, element) => sum + element.weight, 0),
            )
          } else if (name === 'first') {
            assert.equal(queue.first(), visible[0])
          } else if (name === 'shift') {
            const [oldest] = all
            if (oldest !== undefined) queue.remove(oldest)
            all = all.slice(1)
          } else if (one !== undefined) {
            if (name === 'ahead' && !one.hidden) assert.equal(queue.ahead(one), visible.indexOf(one))
            if (name === 'hide') queue.hide(one)
            if (name === 'show') queue.show(one)
            if (name === 'remove') {
              queue.remove(one)
              all = all.filter((other) => other !== one)
            }
          }
          assert.deepEqual([...queue.all()], all)
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

  it('sums exactly, however often it goes round', () => {
    const queue = new RankedQueue<Weighed>(8)
    const weights = [1, 2 ** 40 + 1, 3, 2 ** 39 - 1]
    const all: Weighed[] = []
    for (let i = 0; i < 10_000; i++) {
      const element = weighed(weights[i % weights.length] ?? 0)
      queue.push(element, element.weight)
      all.push(element)
      if (all.length <= 5) continue
      const [oldest] = all.splice(0, 1)
      if (oldest !== undefined) queue.remove(oldest)
      for (let count = 0; count <= all.length; count++) assert.equal(queue.weightOfFirst(count), all.slice(0, count).reduce((sum, { weight }) => sum + weight, 0))
    }
    for (const element of all) queue.remove(element)
    assert.equal(queue.weight, 0)
    assert.equal(queue.weightOfFirst(1), 0)
    assert.equal(queue.first(), undefined)
  })
})
