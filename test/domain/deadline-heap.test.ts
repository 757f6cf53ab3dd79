import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DeadlineHeap, type Deadlined } from '../../src/domain/deadline-heap.ts'

describe('deadline heap', () => {
  it('always has the earliest deadline, as a sorted array does', () => {
    const step = fc.record({ remove: fc.boolean(), pick: fc.nat(999), deadline_at: fc.nat(30) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const heap = new DeadlineHeap<Deadlined>()
        let all: Deadlined[] = []
        for (const { remove, pick, deadline_at } of steps) {
          const one = all[pick % Math.max(1, all.length)]
          if (remove && one !== undefined) {
            heap.remove(one)
            assert.equal(one.heap_index, -1)
            heap.remove(one)
            all = all.filter((other) => other !== one)
          } else if (!remove) {
            const item: Deadlined = { deadline_at, heap_index: -1 }
            heap.push(item)
            all.push(item)
          }
          assert.equal(heap.earliest?.deadline_at, all.length === 0 ? undefined : Math.min(...all.map((item) => item.deadline_at)))
          assert.deepEqual(
            all.map((item) => item.heap_index).sort((a, b) => a - b),
            all.map((_, index) => index),
          )
        }
      }),
      { numRuns: 400 },
    )
  })
})
