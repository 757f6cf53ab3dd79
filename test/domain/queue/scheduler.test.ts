import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Scheduler, unplaced, type Schedulable } from '../../../src/domain/queue/scheduler.ts'
import { repeats } from '../../harness/long.ts'
import { Bench, command, rules } from './scheduler.kit.ts'
import { inOrder } from './scheduler.model.ts'

const runs = repeats({ quick: 200, long: 1000 })
const mostCommands = 500

const task = (id: string, fields: Partial<Schedulable> = {}): Schedulable => ({
  id,
  owner: 'ann',
  priority: 'interactive',
  deadline_at: 1000,
  work_ms: 10,
  ...unplaced,
  ...fields,
})

describe('scheduler', () => {
  it('does what a naive model does, whatever is commanded', () => {
    let commands = 0
    fc.assert(
      fc.property(rules, fc.array(command, { maxLength: mostCommands, size: 'max' }), (given, steps) => {
        const bench = new Bench(given)
        for (const step of steps) bench.run(step)
        bench.drain()
        commands += bench.commands
      }),
      { numRuns: runs },
    )
    assert.ok(commands >= 100 * runs, `only ${commands} commands`)
  })

  it('keeps its promises over queues large enough for larger rings', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 2000, size: 'max' }), fc.constantFrom(1, 2, 8), (steps, batch_every) => {
        const bench = new Bench({ capacity: 300, full_policy: 'drop-lru', batch_every })
        // Mostly newcomers, so that the queue grows past its first slots; the drain checks every promise.
        for (const step of steps)
          if (step.name !== 'next' && step.name !== 'expired' && step.name !== 'newcomer' && step.name !== 'ahead') bench.run(step)
        bench.drain()
      }),
      { numRuns: 12 },
    )
  })

  it('puts a displaced task back into its exact place when the newcomer is rolled back', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 3, full_policy: 'drop-lru', batch_every: 8 })
    const [a, b, c, d] = [task('a'), task('b'), task('c'), task('d')]
    for (const one of [a, b, c]) take(scheduler, one)
    assert.equal(scheduler.admit(d), a)
    assert.equal(scheduler.ahead(a), undefined)
    assert.equal(scheduler.remove(a), false)
    assert.deepEqual(inOrder(scheduler.expired(2000)), ['b', 'c'])
    scheduler.rollback(d)
    assert.deepEqual(scheduler.ahead(a), { position: 0, passing: 0, work_ms: 0, may_pass: 0 })
    assert.deepEqual(order(scheduler), ['a', 'b', 'c'])
  })

  it('displaces the lowest class even where its head is not durable yet', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 3, full_policy: 'drop-lru', batch_every: 8 })
    take(scheduler, task('i'))
    scheduler.admit(task('tentative', { priority: 'batch' }))
    const b = task('b', { priority: 'batch' })
    scheduler.restore(b)
    assert.equal(scheduler.admit(task('n', { owner: 'bob' })), b)
  })

  it('forgets a displaced task once the newcomer is confirmed: it may come again', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 1, full_policy: 'drop-lru', batch_every: 8 })
    const [a, b] = [task('a'), task('b')]
    for (const one of [a, b, a, b]) {
      take(scheduler, one)
      assert.equal(scheduler.depth(), 1)
    }
    assert.deepEqual(order(scheduler), ['b'])
    // It takes nobody's place now: nobody comes back.
    scheduler.admit(b)
    scheduler.rollback(b)
    assert.equal(scheduler.depth(), 0)
  })

  it('puts what is given back before all others, in order of admission, whatever the capacity', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 4, full_policy: 'reject', batch_every: 2 })
    const [a, b, c, x, y] = [task('a'), task('b'), task('c'), task('x', { priority: 'batch' }), task('y', { priority: 'batch' })]
    for (const one of [a, x, b, y]) take(scheduler, one)
    assert.deepEqual([scheduler.next(), scheduler.next(), scheduler.next()], [a, x, b])
    for (const id of ['c', 'd', 'e']) take(scheduler, id === 'c' ? c : task(id))
    for (const one of [b, x, a]) scheduler.requeue(one)
    assert.equal(scheduler.depth(), 7)
    assert.deepEqual(scheduler.ahead(b), { position: 3, passing: 2, work_ms: 30, may_pass: 0 }, 'x, a and y')
    assert.deepEqual(scheduler.ahead(c), { position: 4, passing: 2, work_ms: 40, may_pass: 1 })
    assert.throws(() => scheduler.requeue(a), /already in the queue/)
    assert.equal(scheduler.remove(a), true)
    assert.deepEqual(inOrder(scheduler.expired(1000)), ['b', 'c', 'd', 'e', 'x', 'y'])
    assert.deepEqual(order(scheduler), ['x', 'b', 'y', 'c', 'd', 'e'])
  })

  it('displaces nothing that was given back', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 2, full_policy: 'drop-lru', batch_every: 8 })
    const [a, b, c] = [task('a'), task('b'), task('c')]
    take(scheduler, a)
    take(scheduler, b)
    assert.equal(scheduler.next(), a)
    scheduler.requeue(a)
    assert.equal(scheduler.admit(c), b)
    assert.equal(scheduler.hasPlaceFor(task('d')), false)
    assert.throws(() => scheduler.admit(task('d')), /no place in the queue for task d/)
  })

  it('lets others pass a task that does not fit, which keeps its place', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 10, full_policy: 'reject', batch_every: 3 })
    const [a, b, x, y] = [task('a'), task('b'), task('x', { priority: 'batch' }), task('y', { priority: 'batch' })]
    for (const one of [a, b, x, y]) take(scheduler, one)
    assert.equal(
      scheduler.next((one) => one !== a),
      b,
    )
    assert.equal(scheduler.ahead(a)?.position, 0)
    assert.equal(
      scheduler.next((one) => one !== a && one !== x),
      y,
      'the other class goes where nothing of its own fits',
    )
    assert.equal(
      scheduler.next(() => false),
      undefined,
    )
    assert.deepEqual(order(scheduler), ['a', 'x'])
  })

  it('looks at no more than 64 of a class', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 100, full_policy: 'reject', batch_every: 3 })
    const tasks = Array.from({ length: 65 }, (_, i) => task(String(i)))
    for (const one of tasks) take(scheduler, one)
    assert.equal(
      scheduler.next((one) => one === tasks[64]),
      undefined,
    )
    assert.equal(
      scheduler.next((one) => one === tasks[63]),
      tasks[63],
    )
  })

  it('refuses to confirm or roll back what it does not know', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 1, full_policy: 'reject', batch_every: 1 })
    const x = task('x')
    assert.throws(() => scheduler.confirm(x), /not in the queue/)
    assert.throws(() => scheduler.rollback(x), /not in the queue/)
    assert.equal(scheduler.remove(x), false)
    assert.equal(scheduler.next(), undefined)
  })
})

function take(scheduler: Scheduler<Schedulable>, one: Schedulable): void {
  scheduler.admit(one)
  scheduler.confirm(one)
}

/** Dispatches all there is. */
function order(scheduler: Scheduler<Schedulable>): string[] {
  const ids: string[] = []
  for (let one = scheduler.next(); one !== undefined; one = scheduler.next()) ids.push(one.id)
  return ids
}
