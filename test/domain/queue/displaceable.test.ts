import assert from 'node:assert/strict'
import fc from 'fast-check'
import { aside, ClassQueue, queued, tentative } from '../../../src/domain/queue/class-queue.ts'
import type { Queueable } from '../../../src/domain/queue/queueable.ts'
import { Displaceable } from '../../../src/domain/queue/displaceable.ts'

interface Item extends Queueable {
  readonly owner: string
}

const step = fc.record({
  name: fc.constantFrom('add', 'add', 'add', 'confirm', 'confirm', 'confirm', 'remove', 'shift', 'requeue', 'hide', 'hide', 'show'),
  owner: fc.constantFrom('ann', 'bob', 'eve'),
  pick: fc.nat(999),
  search: fc.boolean(),
})

describe('displaceable', () => {
  it('finds the oldest of all and of each owner, in whatever order they are confirmed, set aside, put back and leave', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const queue = new ClassQueue<Item>(2)
        const displaceable = new Displaceable(queue)
        let all: Item[] = []
        const out: Item[] = []
        let made = 0
        for (const { name, owner, pick, search } of steps) {
          const one = all[pick % Math.max(1, all.length)]
          if (name === 'add') {
            const item: Item = { owner, deadline_at: 0, work_ms: 1, ticket: -1, arrival: made++ }
            queue.push(item, pick % 3 === 0 ? queued : tentative)
            displaceable.add(item)
            all.push(item)
          } else if (name === 'shift') {
            const first = queue.take(queue.find(() => true))
            if (first === undefined) continue
            out.push(first)
            all = all.filter((item) => item !== first)
          } else if (name === 'requeue') {
            const item = out.pop()
            if (item === undefined) continue
            queue.requeue(item)
            all.push(item)
          } else if (one === undefined) continue
          else if (name === 'confirm') {
            queue.settle(one)
            displaceable.released(one)
          } else if (name === 'remove') {
            queue.remove(one)
            all = all.filter((item) => item !== one)
          } else if (name === 'hide' && queue.stateOf(one) === queued) queue.hide(one)
          else if (name === 'show' && queue.stateOf(one) === aside) {
            queue.show(one)
            displaceable.released(one)
          }
          if (!search) continue
          const waiting = all.filter((item) => queue.stateOf(item) === queued).sort((a, b) => a.arrival - b.arrival)
          assert.equal(displaceable.oldest(), waiting[0])
          for (const key of ['ann', 'bob', 'eve', 'nobody'])
            assert.equal(
              displaceable.oldest(key),
              waiting.find((item) => item.owner === key),
            )
        }
      }),
      { numRuns: 500 },
    )
  })
})
