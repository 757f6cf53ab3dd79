import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DeadlineBuckets, type Bucket } from '../../src/domain/deadline-buckets.ts'

interface Item {
  readonly task: { readonly deadline_at: number }
  bucket: Bucket<Item> | undefined
  bucket_index: number
}

const step = fc.record({
  name: fc.constantFrom('push', 'push', 'push', 'remove', 'remove', 'again', 'due'),
  pick: fc.nat(999),
  // Within a few buckets, or each in its own.
  at: fc.oneof(fc.nat(1000), fc.nat(1_000_000), fc.double({ min: 0, max: 2000, noNaN: true })),
})

describe('deadline buckets', () => {
  it('tell what is due, as a sorted array does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const buckets = new DeadlineBuckets<Item>()
        let all: Item[] = []
        for (const { name, pick, at } of steps) {
          const one = all[pick % Math.max(1, all.length)]
          if (name === 'push') {
            const item: Item = { task: { deadline_at: at }, bucket: undefined, bucket_index: -1 }
            buckets.push(item)
            all.push(item)
          } else if (name === 'again' && one !== undefined) buckets.push(one)
          else if (name === 'remove' && one !== undefined) {
            buckets.remove(one)
            buckets.remove(one)
            all = all.filter((other) => other !== one)
          }
          const due = buckets.due(at)
          assert.deepEqual(
            due.map(({ task }) => task.deadline_at),
            all.flatMap(({ task }) => (task.deadline_at <= at ? [task.deadline_at] : [])).sort((a, b) => a - b),
          )
          assert.equal(new Set(due).size, due.length)
        }
        assert.deepEqual(new Set(buckets.due(Infinity)), new Set(all))
      }),
      { numRuns: 400 },
    )
  })
})
