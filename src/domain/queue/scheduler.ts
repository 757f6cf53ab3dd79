import type { Place } from './ahead.ts'
import { absent, aside, ClassQueue, isWaiting, queued, tentative, weight_per_ms } from './class-queue.ts'
import { dispatchOrder, passingBefore } from './dispatch-order.ts'
import { Displaceable } from './displaceable.ts'
import { OwnerCounts } from './owner-counts.ts'
import type { Queueable } from './queueable.ts'
import type { SchedulerRules } from './scheduler-rules.ts'
import type { Priority } from '../task.ts'

/** What the scheduler has to know of a task. A task is in one scheduler at a time. */
export interface Schedulable extends Queueable {
  /** For messages. */
  readonly id: string
  /** The key that created the task. */
  readonly owner: string
  readonly priority: Priority
}

/** `ticket` and `arrival` of a task that has not been in a queue. */
export const unplaced = { ticket: -1, arrival: -1 } as const

type Newcomer = Pick<Schedulable, 'owner' | 'priority'>

const anything = (): boolean => true

/**
 * The queue of one pool: interactive before batch, FIFO inside a class, batch never starved.
 * A state machine without I/O or clock. A newcomer is tentative between `admit` and `confirm`, so that a failed commit can take
 * its admission and the displacement it caused back.
 *
 * Every command is O(log n), amortised where a structure grows or shrinks, in whatever order commits end; `expired` reads one
 * number for 256 slots of the queue, and more where something is due. Finding what to displace goes past those in flight.
 *
 * States of a task: absent -> tentative -(confirm)-> queued -(next | remove)-> absent; tentative -(rollback)-> absent;
 * queued -(displaced by a newcomer)-> set aside -(newcomer confirmed)-> absent, or -(newcomer rolled back)-> queued;
 * absent -(requeue)-> requeued -(next | remove)-> absent.
 */
export class Scheduler<T extends Schedulable> {
  readonly rules: SchedulerRules
  private readonly classes: Record<Priority, ClassQueue<T>> = { interactive: new ClassQueue(), batch: new ClassQueue() }
  /** Undefined where the policy is to reject. */
  private readonly displaceable: Record<Priority, Displaceable<T>> | undefined
  /** By the tentative newcomer, the task that leaves when it is confirmed. */
  private readonly displaced = new Map<T, T>()
  private counts: OwnerCounts | undefined
  private arrivals = 0
  /** Interactive dispatches in a row while batch work waited. */
  private passed = 0

  constructor(rules: SchedulerRules) {
    this.rules = rules
    const { interactive, batch } = this.classes
    if (rules.full_policy === 'drop-lru') this.displaceable = { interactive: new Displaceable(interactive), batch: new Displaceable(batch) }
  }

  /** Rises with everything that changes who waits, or in which order. */
  get changes(): number {
    return this.classes.interactive.changes + this.classes.batch.changes
  }

  /** Tasks that wait, tentative ones included. */
  depth(priority?: Priority): number {
    return priority === undefined ? this.classes.interactive.size + this.classes.batch.size : this.classes[priority].size
  }

  /** How many tasks of each key are in, tentative ones and those set aside included: counted once somebody asks. O(tasks) the first time. */
  get owners(): Pick<OwnerCounts, 'of' | typeof Symbol.iterator> {
    return (this.counts ??= OwnerCounts.in([this.classes.interactive, this.classes.batch]))
  }

  /** Whether `admit` would take a newcomer: a full queue has a place where its policy lets the newcomer displace what is in it. */
  hasPlaceFor(newcomer: Newcomer): boolean {
    return this.depth() < this.rules.capacity || this.leastRecent(newcomer) !== undefined
  }

  /**
   * Takes a newcomer in tentatively.
   * @returns what it displaces, where the queue was full
   * @throws Error where it is in already, or there is no place for it
   */
  admit(task: T): T | undefined {
    if (this.depth() < this.rules.capacity) {
      this.enter(task, tentative)
      return undefined
    }
    this.expectAbsent(task)
    const victim = this.leastRecent(task)
    if (victim === undefined) throw new Error(`there is no place in the queue for task ${task.id}`)
    this.classes[victim.priority].hide(victim)
    this.enter(task, tentative)
    this.displaced.set(task, victim)
    return victim
  }

  /**
   * The newcomer's acceptance is durable: it may be dispatched, and what it displaced is gone.
   * @throws Error where it is not in
   */
  confirm(task: T): void {
    this.expectPresent(task)
    this.classes[task.priority].settle(task)
    this.displaceable?.[task.priority].released(task)
    const victim = this.takeDisplacedBy(task)
    if (victim !== undefined) this.leave(victim)
  }

  /**
   * The newcomer's acceptance failed: it is gone, and what it displaced is back in its old place.
   * @throws Error where it is not in
   */
  rollback(task: T): void {
    this.expectPresent(task)
    this.leave(task)
    const victim = this.takeDisplacedBy(task)
    if (victim === undefined) return
    this.classes[victim.priority].show(victim)
    this.displaceable?.[victim.priority].released(victim)
  }

  /**
   * Puts a task that was accepted before a restart at the end of its class, whatever the capacity.
   * @throws Error where it is in already
   */
  restore(task: T): void {
    this.enter(task, queued)
  }

  /**
   * Takes a dispatched task back, whatever the capacity, for its engine failed: it comes before all others of its class, several in
   * order of admission, and makes no room for newcomers.
   * @throws Error where it is in already
   */
  requeue(task: T): void {
    this.expectAbsent(task)
    this.classes[task.priority].requeue(task)
    this.counts?.add(task.owner)
  }

  /** Takes the task that goes next out of the queue. @param fits whether one can go now: up to 64 of a class that cannot let others pass */
  next(fits: (task: T) => boolean = anything): T | undefined {
    const { interactive, batch } = this.classes
    const [first, other] = [interactive.find(fits), batch.find(fits)]
    const turn = first < 0 || (other >= 0 && this.passed + 1 >= this.rules.batch_every)
    if (turn && other < 0) return undefined
    this.passed = !turn && other >= 0 ? this.passed + 1 : 0
    const task = turn ? batch.take(other) : interactive.take(first)
    if (task !== undefined) this.counts?.take(task.owner)
    return task
  }

  /** Takes a queued task out (canceled, expired, moved). False where it is not in the queue, tentative or set aside. */
  remove(task: T): boolean {
    if (!isWaiting(this.classes[task.priority].stateOf(task))) return false
    this.leave(task)
    return true
  }

  /** Queued tasks whose deadline is not after `now` (ms since the epoch), earliest first; they stay until removed. */
  expired(now: number): T[] {
    const due: T[] = []
    this.classes.interactive.due(now, due)
    this.classes.batch.due(now, due)
    return due.sort((a, b) => a.deadline_at - b.deadline_at)
  }

  /** The task of a class whose deadline comes first, tentative ones included. */
  soonest(priority: Priority): T | undefined {
    return this.classes[priority].soonest()
  }

  /** The first in line of a class; undefined where none waits, or that one's acceptance is on the way to disk. */
  first(priority: Priority): T | undefined {
    const queue = this.classes[priority]
    return queue.inSlot(queue.find(anything))
  }

  /** Tasks that wait and may be taken out, interactive first, in order; do not change the queue while you go through them. */
  *tasks(): Iterable<T> {
    yield* this.classes.interactive.all()
    yield* this.classes.batch.all()
  }

  /** The same in the order in which they will be dispatched if nobody else comes. */
  inOrder(): Iterable<T> {
    const { interactive, batch } = this.classes
    return dispatchOrder(interactive.all(), batch.all(), this.rules.batch_every, this.passed)
  }

  /** What is ahead of a queued task if nobody else comes; undefined where it is not in the queue. */
  ahead(task: T): Place | undefined {
    const queue = this.classes[task.priority]
    const state = queue.stateOf(task)
    return state === absent || state === aside ? undefined : this.interleave(task.priority, queue.ahead(task))
  }

  /** What would be ahead of a newcomer; what it would displace is not. */
  aheadOfNewcomer(newcomer: Newcomer): Place {
    const { priority } = newcomer
    const victim = this.depth() >= this.rules.capacity ? this.leastRecent(newcomer) : undefined
    if (victim !== undefined) this.classes[victim.priority].hide(victim)
    const ahead = this.interleave(priority, this.classes[priority].size)
    if (victim !== undefined) this.classes[victim.priority].show(victim)
    return ahead
  }

  private interleave(priority: Priority, rank: number): Place {
    const other: Priority = priority === 'interactive' ? 'batch' : 'interactive'
    const due = passingBefore(priority, rank, this.rules.batch_every, this.passed)
    const passing = Math.min(this.classes[other].size, due)
    const work_ms = (this.classes[priority].weightOfFirst(rank) + this.classes[other].weightOfFirst(passing)) / weight_per_ms
    return { position: rank + passing, passing, work_ms, may_pass: due - passing }
  }

  private enter(task: T, state: typeof tentative | typeof queued): void {
    this.expectAbsent(task)
    task.arrival = this.arrivals++
    this.classes[task.priority].push(task, state)
    this.displaceable?.[task.priority].add(task)
    this.counts?.add(task.owner)
  }

  private leave(task: T): void {
    this.classes[task.priority].remove(task)
    this.counts?.take(task.owner)
  }

  /** The oldest of the lowest class not above the newcomer's: of its own key first, then of any. */
  private leastRecent({ owner, priority }: Newcomer): T | undefined {
    if (this.displaceable === undefined) return undefined
    const { batch } = this.displaceable
    const interactive = priority === 'interactive' ? this.displaceable.interactive : undefined
    return batch.oldest(owner) ?? interactive?.oldest(owner) ?? batch.oldest() ?? interactive?.oldest()
  }

  private takeDisplacedBy(task: T): T | undefined {
    if (this.displaced.size === 0) return undefined
    const victim = this.displaced.get(task)
    this.displaced.delete(task)
    return victim
  }

  private expectAbsent(task: T): void {
    if (this.classes[task.priority].stateOf(task) !== absent) throw new Error(`task ${task.id} is already in the queue`)
  }

  private expectPresent(task: T): void {
    if (this.classes[task.priority].stateOf(task) === absent) throw new Error(`task ${task.id} is not in the queue`)
  }
}
