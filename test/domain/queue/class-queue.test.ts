import assert from 'node:assert/strict'
import fc from 'fast-check'
import { absent, aside, requeued, ClassQueue, queued, tentative, type State } from '../../../src/domain/queue/class-queue.ts'
import type { Queueable } from '../../../src/domain/queue/queueable.ts'

interface Item extends Queueable {
  readonly name: number
}

const step = fc.record({
  name: fc.constantFrom('push', 'push', 'push', 'push', 'push', 'shift', 'shift', 'pass', 'requeue', 'remove', 'hide', 'show', 'settle'),
  pick: fc.nat(9999),
  tentative: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A queue beside an array of its elements. */
class Twin {
  readonly queue: ClassQueue<Item>
  private all: { readonly item: Item; state: State }[] = []
  private readonly gone: Item[] = []
  private made = 0

  constructor(fewest: number) {
    this.queue = new ClassQueue(fewest)
  }

  run({ name, pick, tentative: isTentative }: Step): void {
    const { queue, all, gone } = this
    const one = all[pick % Math.max(1, all.length)]
    if (name === 'push') {
      const item: Item = { name: this.made, deadline_at: pick, work_ms: pick % 50, ticket: -1, arrival: this.made++ }
      const state = isTentative ? tentative : queued
      queue.push(item, state)
      all.push({ item, state })
    } else if (name === 'shift') {
      const first = all.find(({ state }) => state !== aside)
      if (first === undefined || first.state === tentative) return
      assert.equal(queue.take(queue.find(() => true)), first.item)
      this.leave(first.item)
    } else if (name === 'pass') {
      const fits = (item: Item): boolean => item.name % 3 === pick % 3
      const seen = all.filter(({ state }) => state !== aside).slice(0, 64)
      const until = seen.findIndex(({ item, state }) => state === tentative || fits(item))
      const found = seen[until]
      const passes = found !== undefined && found.state !== tentative
      assert.equal(queue.take(queue.find(fits)), passes ? found.item : undefined)
      if (passes) this.leave(found.item)
    } else if (name === 'requeue') {
      const [item] = gone.splice(pick % Math.max(1, gone.length), 1)
      if (item === undefined) return
      queue.requeue(item)
      const after = all.findIndex(({ item: { arrival }, state }) => state !== requeued || arrival > item.arrival)
      all.splice(after < 0 ? all.length : after, 0, { item, state: requeued })
    } else if (one === undefined) return
    else if (name === 'remove') {
      queue.remove(one.item)
      this.leave(one.item)
    } else if (name === 'hide' && one.state === queued) {
      queue.hide(one.item)
      one.state = aside
    } else if (name === 'show' && one.state === aside) {
      queue.show(one.item)
      one.state = queued
    } else if (name === 'settle') {
      queue.settle(one.item)
      if (one.state === tentative) one.state = queued
    }
  }

  check(pick: number): void {
    const { queue, all, gone } = this
    const visible = all.filter(({ state }) => state !== aside)
    const waiting = visible.filter(({ state }) => state !== tentative)
    const sum = (items: typeof all): number => items.reduce((total, { item }) => total + item.work_ms * 1000, 0)
    assert.deepEqual([queue.size, queue.length], [visible.length, all.length])
    assert.deepEqual(
      [...queue.all()],
      waiting.map(({ item }) => item),
    )
    for (const count of [0, pick % (visible.length + 2), visible.length - 1, visible.length])
      assert.equal(queue.weightOfFirst(count), sum(visible.slice(0, Math.max(0, count))))
    for (const place of [pick % Math.max(1, visible.length), visible.length - 1]) {
      const one = visible[place]
      if (one !== undefined) assert.equal(queue.ahead(one.item), place)
    }
    const due: Item[] = []
    queue.due(pick, due)
    assert.deepEqual(new Set(due), new Set(waiting.map(({ item }) => item).filter(({ deadline_at }) => deadline_at <= pick)))
    const soonest = Math.min(...all.map(({ item }) => item.deadline_at))
    assert.equal(queue.soonest()?.deadline_at ?? Infinity, soonest)
    for (const item of gone) assert.equal(queue.stateOf(item), absent)
    for (const { item, state } of all) {
      assert.equal(queue.stateOf(item), state)
      assert.equal(queue.stateAt(item.ticket), state)
      assert.equal(queue.at(item.ticket), item)
      assert.ok(queue.from <= item.ticket && item.ticket < queue.to)
    }
    assert.deepEqual(
      all.map(({ item }) => item.ticket),
      all.map(({ item }) => item.ticket).sort((a, b) => a - b),
    )
  }

  private leave(item: Item): void {
    this.all = this.all.filter((other) => other.item !== item)
    this.gone.push(item)
  }
}

describe('class queue', () => {
  it('does what an array does, round the smallest ring and through larger and smaller ones', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 250, size: 'max' }), fc.constantFrom(2, 4, 64), (steps, fewest) => {
        const twin = new Twin(fewest)
        for (const one of steps) {
          twin.run(one)
          twin.check(one.pick)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('does so over several blocks of deadlines and of sums, and when it shrinks', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1500, maxLength: 2500, size: 'max' }), (steps) => {
        const twin = new Twin(2)
        const check = ({ pick }: Step, i: number): void => {
          if (i % 50 === 0) twin.check(pick)
        }
        steps.forEach((one, i) => {
          twin.run(one.name === 'shift' || one.name === 'remove' ? { ...one, name: 'push' } : one)
          check(one, i)
        })
        steps.forEach((one, i) => {
          twin.run({ ...one, name: one.name === 'push' ? 'remove' : one.name })
          check(one, i)
        })
        // The oldest and the newest stay: what was between them takes no room.
        const largest = twin.queue.to - twin.queue.from
        while (twin.queue.length > 2) twin.run({ name: 'remove', pick: 1, tentative: false })
        assert.ok(largest < 32 || twin.queue.to - twin.queue.from <= 32)
      }),
      { numRuns: 10 },
    )
  })

  it('numbers anew what is left between many holes, and stays small', () => {
    const twin = new Twin(2)
    const push: Step = { name: 'push', pick: 7, tentative: true }
    twin.run(push)
    for (let i = 0; i < 1000; i++) {
      twin.run(push)
      twin.run({ name: 'remove', pick: 1, tentative: true })
      twin.check(i)
    }
    assert.ok(twin.queue.to - twin.queue.from <= 4)
    assert.ok(twin.queue.renumbered > 0)
  })
})
