import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Scheduler, type Schedulable, type SchedulerRules } from '../../src/domain/scheduler.ts'
import type { Priority } from '../../src/domain/task.ts'
import { inOrder, SchedulerModel } from './scheduler.model.ts'

const runs = 1000
const mostCommands = 500

const rules: fc.Arbitrary<SchedulerRules> = fc.record({
  capacity: fc.integer({ min: 1, max: 9 }),
  full_policy: fc.constantFrom('reject', 'drop-lru', 'drop-lru'),
  batch_every: fc.constantFrom(1, 2, 3, 4, 8),
})

const names = [
  'admit',
  'admit',
  'admit',
  'admit',
  'confirm',
  'confirm',
  'confirm',
  'rollback',
  'next',
  'next',
  'remove',
  'expired',
  'ahead',
  'newcomer',
  'restore',
  'again',
  'tasks',
] as const
const command = fc.record({
  name: fc.constantFrom(...names),
  priority: fc.constantFrom<Priority>('interactive', 'interactive', 'batch'),
  owner: fc.oneof(fc.constantFrom('ann', 'bob', 'eve'), fc.nat(99).map((n) => `key-${n}`)),
  /** Which task a command is about, modulo those there are. */
  pick: fc.nat(99),
  number: fc.oneof(fc.nat(40), fc.nat(4000)),
})
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** Both machines side by side, and what may be said of the scheduler without the model. */
class Bench {
  readonly scheduler: Scheduler<Schedulable>
  readonly model: SchedulerModel
  private readonly rules: SchedulerRules
  private made = 0
  private streak = 0
  /** Commands that were carried out on both. */
  commands = 0

  constructor(given: SchedulerRules) {
    this.rules = given
    this.scheduler = new Scheduler<Schedulable>(given)
    this.model = new SchedulerModel(given)
  }

  run(step: Command): void {
    const id = this.model.items.length === 0 ? 'nobody' : (this.model.items[step.pick % this.model.items.length]?.task.id ?? 'nobody')
    const tentative = this.model.items.filter(({ state }) => state === 'tentative')
    const pending = tentative[step.pick % Math.max(1, tentative.length)]?.task.id
    if (step.name === 'admit') this.admit(this.newTask(step))
    else if (step.name === 'restore') {
      if (this.model.depth() > this.rules.capacity + 4) return
      const task = this.newTask(step)
      this.scheduler.restore(task)
      this.model.restore(task)
    } else if (step.name === 'confirm' || step.name === 'rollback') {
      if (pending === undefined) return
      this.scheduler[step.name](pending)
      this.model[step.name](pending)
    } else if (step.name === 'next') this.next()
    else if (step.name === 'remove') assert.equal(this.scheduler.remove(id), this.model.remove(id))
    else if (step.name === 'expired') this.expired(step.number)
    else if (step.name === 'ahead') assert.deepEqual(this.scheduler.ahead(id), this.model.ahead(id))
    else if (step.name === 'tasks') assert.deepEqual([...this.scheduler.tasks()], this.model.tasks())
    else if (step.name === 'newcomer') assert.deepEqual(this.scheduler.aheadOfNewcomer(step), this.model.aheadOfNewcomer(step))
    else if (this.model.items.length === 0) return
    else assert.throws(() => this.scheduler.admit({ ...this.newTask(step), id }), /already in the queue/)
    this.commands++
    for (const priority of [undefined, 'interactive', 'batch'] as const)
      assert.equal(this.scheduler.depth(priority), this.model.depth(priority))
  }

  /** Confirms everything and takes every task out, comparing all the way. */
  drain(): void {
    for (const { task, state } of [...this.model.items])
      if (state === 'tentative') {
        this.scheduler.confirm(task.id)
        this.model.confirm(task.id)
      }
    const promised = this.model.items.map(({ task }) => ({ id: task.id, ...this.scheduler.ahead(task.id) }))
    const positions = new Map<string, number>()
    let work = 0
    for (let task = this.next(); task !== undefined; task = this.next()) {
      const promise = promised.find(({ id }) => id === task.id)
      assert.deepEqual({ ...promise, may_pass: 0 }, { id: task.id, position: positions.size, work_ms: work, may_pass: 0 })
      positions.set(task.id, positions.size)
      work += task.work_ms
    }
    assert.equal(positions.size, promised.length)
    assert.equal(this.scheduler.depth(), 0)
  }

  private newTask({ priority, owner, number, pick }: Command): Schedulable {
    return { id: `t${++this.made}`, owner, priority, deadline_at: number, work_ms: pick }
  }

  private admit(task: Schedulable): void {
    const before = this.scheduler.depth()
    const hasPlace = this.scheduler.hasPlaceFor(task)
    const admission = this.scheduler.admit(task)
    assert.equal(admission.admitted, hasPlace)
    assert.deepEqual(admission, this.model.admit(task))
    assert.ok(this.scheduler.depth() <= Math.max(this.rules.capacity, before), 'capacity exceeded')
    if (admission.admitted && admission.displaced !== undefined) {
      assert.equal(this.rules.full_policy, 'drop-lru')
      assert.ok(task.priority === 'interactive' || admission.displaced.priority === 'batch', 'displaced a higher class')
    }
  }

  private next(): Schedulable | undefined {
    const waiting = this.model.dispatchable('batch') !== undefined
    const heads = (['interactive', 'batch'] as const).map((priority) => this.model.dispatchable(priority)?.task.id)
    const task = this.scheduler.next()
    assert.equal(task?.id, this.model.next()?.id)
    if (task === undefined) return undefined
    assert.ok(heads.includes(task.id), 'not the oldest of its class')
    this.streak = task.priority === 'interactive' && waiting ? this.streak + 1 : 0
    assert.ok(this.streak < this.rules.batch_every, 'batch work starves')
    return task
  }

  private expired(now: number): void {
    const due = this.scheduler.expired(now)
    assert.deepEqual(
      due.map(({ deadline_at }) => deadline_at),
      due.map(({ deadline_at }) => deadline_at).sort((a, b) => a - b),
    )
    assert.deepEqual(inOrder(due), this.model.expired(now))
    if (now % 3 !== 0) return
    for (const { id } of due) assert.equal(this.scheduler.remove(id), this.model.remove(id))
  }
}

const task = (id: string, fields: Partial<Schedulable> = {}): Schedulable => ({
  id,
  owner: 'ann',
  priority: 'interactive',
  deadline_at: 1000,
  work_ms: 10,
  ...fields,
})

describe('scheduler', () => {
  it('does what a naive model does, over more than 100,000 commands', () => {
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
    assert.ok(commands >= 100_000, `only ${commands} commands`)
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
    for (const id of ['a', 'b', 'c']) {
      scheduler.admit(task(id))
      scheduler.confirm(id)
    }
    assert.deepEqual(scheduler.admit(task('d')), { admitted: true, displaced: task('a') })
    assert.equal(scheduler.ahead('a'), undefined)
    assert.equal(scheduler.remove('a'), false)
    assert.deepEqual(inOrder(scheduler.expired(2000)), ['b', 'c'])
    scheduler.rollback('d')
    assert.deepEqual(scheduler.ahead('a'), { position: 0, work_ms: 0, may_pass: 0 })
    assert.deepEqual(
      ['a', 'b', 'c', undefined],
      Array.from({ length: 4 }, () => scheduler.next()?.id),
    )
  })

  it('displaces the lowest class even where its head is not durable yet', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 3, full_policy: 'drop-lru', batch_every: 8 })
    scheduler.admit(task('i'))
    scheduler.confirm('i')
    scheduler.admit(task('tentative', { priority: 'batch' }))
    scheduler.restore(task('b', { priority: 'batch' }))
    assert.deepEqual(scheduler.admit(task('n', { owner: 'bob' })), { admitted: true, displaced: task('b', { priority: 'batch' }) })
  })

  it('forgets a displaced task once the newcomer is confirmed: it may come again', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 1, full_policy: 'drop-lru', batch_every: 8 })
    for (const id of ['a', 'b', 'a', 'b']) {
      assert.equal(scheduler.admit(task(id)).admitted, true)
      scheduler.confirm(id)
      assert.equal(scheduler.depth(), 1)
    }
    assert.equal(scheduler.next()?.id, 'b')
  })

  it('refuses to confirm or roll back what it does not know', () => {
    const scheduler = new Scheduler<Schedulable>({ capacity: 1, full_policy: 'reject', batch_every: 1 })
    assert.throws(() => scheduler.confirm('x'), /not in the queue/)
    assert.throws(() => scheduler.rollback('x'), /not in the queue/)
    assert.equal(scheduler.remove('x'), false)
    assert.equal(scheduler.next(), undefined)
  })
})
