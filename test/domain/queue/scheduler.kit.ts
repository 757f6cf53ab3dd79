import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Scheduler, unplaced, type Schedulable } from '../../../src/domain/queue/scheduler.ts'
import type { SchedulerRules } from '../../../src/domain/queue/scheduler-rules.ts'
import type { Priority } from '../../../src/domain/task.ts'
import { inOrder, SchedulerModel } from './scheduler.model.ts'

/** Small queues under every rule. */
export const rules: fc.Arbitrary<SchedulerRules> = fc.record({
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
  'requeue',
  'again',
  'tasks',
  'gone',
] as const
/** A command, with all that any of them may need. */
export const command = fc.record({
  name: fc.constantFrom(...names),
  priority: fc.constantFrom<Priority>('interactive', 'interactive', 'batch'),
  owner: fc.oneof(
    fc.constantFrom('ann', 'bob', 'eve'),
    fc.nat(99).map((n) => `key-${n}`),
  ),
  /** Which task a command is about, modulo those there are. */
  pick: fc.nat(99),
  number: fc.oneof(fc.nat(40), fc.nat(4000)),
})
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** Both machines side by side, and what may be said of the scheduler without the model. */
export class Bench {
  readonly scheduler: Scheduler<Schedulable>
  readonly model: SchedulerModel
  private readonly rules: SchedulerRules
  private made = 0
  /** Dispatched and not given back. */
  private readonly running: Schedulable[] = []
  /** Rolled back or taken out by `remove`. */
  private readonly gone: Schedulable[] = []
  private streak = 0
  /** Commands that were carried out on both. */
  commands = 0
  /** Who waited after the newest command, in order, and what the scheduler said of it. */
  private seen: { readonly changes: number; readonly waits: readonly string[] } = { changes: 0, waits: ['0'] }

  constructor(given: SchedulerRules) {
    this.rules = given
    this.scheduler = new Scheduler<Schedulable>(given)
    this.model = new SchedulerModel(given)
  }

  run(step: Command): void {
    const one = this.model.items[step.pick % Math.max(1, this.model.items.length)]?.task
    const tentative = this.model.items.filter(({ state }) => state === 'tentative')
    const pending = tentative[step.pick % Math.max(1, tentative.length)]?.task
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
      if (step.name === 'rollback') this.gone.push(pending)
    } else if (step.name === 'requeue') {
      const [task] = this.running.splice(step.pick % Math.max(1, this.running.length), 1)
      if (task === undefined) return
      this.scheduler.requeue(task)
      this.model.requeue(task)
    } else if (step.name === 'next') this.next()
    else if (step.name === 'remove' && one !== undefined) this.remove(one)
    else if (step.name === 'expired') this.expired(step.number)
    else if (step.name === 'ahead' && one !== undefined) assert.deepEqual(this.scheduler.ahead(one), this.model.ahead(one))
    else if (step.name === 'tasks') assert.deepEqual([...this.scheduler.tasks()], this.model.tasks())
    else if (step.name === 'newcomer') assert.deepEqual(this.scheduler.aheadOfNewcomer(step), this.model.aheadOfNewcomer(step))
    else if (step.name === 'gone') this.meetGone(step.pick)
    else if (one === undefined) return
    else
      for (const enter of ['admit', 'restore', 'requeue'] as const) assert.throws(() => this.scheduler[enter](one), /already in the queue/)
    this.commands++
    for (const priority of [undefined, 'interactive', 'batch'] as const)
      assert.equal(this.scheduler.depth(priority), this.model.depth(priority))
    // They are counted once somebody asks, which is late here: what is in then counts, too.
    if (this.commands > 20) assert.deepEqual(new Map([...this.scheduler.owners].sort()), new Map([...this.model.owners()].sort()))
    this.lookAtChanges()
  }

  /** Who waits is another than before only where the scheduler says so. */
  private lookAtChanges(): void {
    const { changes } = this.scheduler
    const waits = [String(this.scheduler.depth()), ...Array.from(this.scheduler.inOrder(), ({ id }) => id)]
    if (changes === this.seen.changes) assert.deepEqual(waits, this.seen.waits)
    this.seen = { changes, waits }
  }

  /** Confirms everything and takes every task out, comparing all the way. */
  drain(): void {
    for (const { task, state } of [...this.model.items])
      if (state === 'tentative') {
        this.scheduler.confirm(task)
        this.model.confirm(task)
      }
    const promised = this.model.items.map(({ task }) => ({ id: task.id, ...this.scheduler.ahead(task) }))
    const positions = new Map<string, number>()
    let work = 0
    for (let task = this.next(); task !== undefined; task = this.next()) {
      const promise = promised.find(({ id }) => id === task.id)
      assert.deepEqual(
        { ...promise, passing: 0, may_pass: 0 },
        { id: task.id, position: positions.size, passing: 0, work_ms: work, may_pass: 0 },
      )
      positions.set(task.id, positions.size)
      work += task.work_ms
    }
    assert.equal(positions.size, promised.length)
    assert.equal(this.scheduler.depth(), 0)
  }

  private newTask({ priority, owner, number, pick }: Command): Schedulable {
    return { id: `t${++this.made}`, owner, priority, deadline_at: number, work_ms: pick, ...unplaced }
  }

  private admit(task: Schedulable): void {
    const before = this.scheduler.depth()
    const hasPlace = this.model.hasPlaceFor(task)
    assert.equal(this.scheduler.hasPlaceFor(task), hasPlace)
    if (!hasPlace) {
      assert.throws(() => this.scheduler.admit(task), /no place in the queue/)
      return
    }
    const displaced = this.scheduler.admit(task)
    assert.equal(displaced, this.model.admit(task))
    assert.ok(this.scheduler.depth() <= Math.max(this.rules.capacity, before), 'capacity exceeded')
    if (displaced !== undefined) {
      assert.equal(this.rules.full_policy, 'drop-lru')
      assert.ok(task.priority === 'interactive' || displaced.priority === 'batch', 'displaced a higher class')
    }
  }

  private next(): Schedulable | undefined {
    const waiting = this.model.dispatchable('batch') !== undefined
    const heads = (['interactive', 'batch'] as const).map((priority) => this.model.dispatchable(priority)?.task.id)
    const task = this.scheduler.next()
    assert.equal(task?.id, this.model.next()?.id)
    if (task === undefined) return undefined
    this.running.push(task)
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
    for (const task of due) this.remove(task)
  }

  private remove(task: Schedulable): void {
    const removed = this.scheduler.remove(task)
    assert.equal(removed, this.model.remove(task))
    if (removed) this.gone.push(task)
  }

  /** What is not in the queue is not found by the place that it had. */
  private meetGone(pick: number): void {
    const all = [...this.running, ...this.gone]
    const task = all[pick % Math.max(1, all.length)]
    if (task === undefined) return
    assert.equal(this.scheduler.ahead(task), undefined)
    assert.equal(this.scheduler.remove(task), false)
    assert.throws(() => this.scheduler.confirm(task), /not in the queue/)
    assert.throws(() => this.scheduler.rollback(task), /not in the queue/)
  }
}
