import type { Link } from './admission-chain.ts'
import { DeadlineBuckets, type Bucket } from './deadline-buckets.ts'
import { Displaceable } from './displaceable.ts'
import { RankedQueue } from './ranked-queue.ts'
import type { Priority } from './task.ts'

/** What the scheduler has to know of a task. */
export interface Schedulable {
  /** Unique in the scheduler. */
  readonly id: string
  /** The key that created the task. */
  readonly owner: string
  readonly priority: Priority
  /** Milliseconds since the epoch. */
  readonly deadline_at: number
  /** Expected service time of one slot, ms. */
  readonly work_ms: number
}

export interface SchedulerRules {
  /** Most tasks that wait. */
  readonly capacity: number
  readonly full_policy: 'reject' | 'drop-lru'
  /** At least one dispatch in this many goes to waiting batch work. */
  readonly batch_every: number
}

/** What is ahead of a task if nobody else comes. */
export interface Ahead {
  /** Tasks that will be dispatched before it. */
  readonly position: number
  /** Their expected service time, ms. */
  readonly work_ms: number
  /** Most tasks of the other class that may come later and be dispatched before it all the same. */
  readonly may_pass: number
}

type Newcomer = Pick<Schedulable, 'owner' | 'priority'>

/** What became of a newcomer. `displaced` is the task that has to make room. */
export type Admission<T> = { readonly admitted: true; readonly displaced?: T } | { readonly admitted: false; readonly reason: 'queue_full' | 'nothing_to_drop' }

interface Entry<T extends Schedulable> {
  readonly task: T
  readonly order: number
  slot: number
  hidden: boolean
  /** Admitted but not durable yet: counts for capacity and position, is not dispatched. */
  tentative: boolean
  bucket: Bucket<Entry<T>> | undefined
  bucket_index: number
  /** The entry that leaves when this one is confirmed. */
  displaces: Entry<T> | undefined
  ofClass: Link<Entry<T>> | undefined
  ofOwner: Link<Entry<T>> | undefined
}

/**
 * The queue of one pool: interactive before batch, FIFO inside a class, batch never starved.
 * A state machine without I/O or clock. A newcomer is tentative between `admit` and `confirm`, so that a failed commit can take
 * its admission and the displacement it caused back.
 *
 * Every command is O(log n), most of them O(1), amortised where a structure grows or shrinks; `expired` is O(what is due and the bucket of
 * `now`). Confirmations and rollbacks in an order unlike that of admission cost a step for each commit in flight that they pass.
 *
 * States of a task: absent -> tentative -(confirm)-> queued -(next | remove)-> absent; tentative -(rollback)-> absent;
 * queued -(displaced by a newcomer)-> set aside -(newcomer confirmed)-> absent, or -(newcomer rolled back)-> queued.
 */
export class Scheduler<T extends Schedulable> {
  readonly rules: SchedulerRules
  private readonly entries = new Map<string, Entry<T>>()
  private readonly classes: Record<Priority, RankedQueue<Entry<T>>> = { interactive: new RankedQueue(), batch: new RankedQueue() }
  /** Empty where the policy is to reject. */
  private readonly displaceable = new Displaceable<Entry<T>>()
  private readonly deadlines = new DeadlineBuckets<Entry<T>>()
  private admitted = 0
  /** Interactive dispatches in a row while batch work waited. */
  private passed = 0

  constructor(rules: SchedulerRules) {
    this.rules = rules
  }

  /** Tasks that wait, tentative ones included. */
  depth(priority?: Priority): number {
    return priority === undefined ? this.classes.interactive.size + this.classes.batch.size : this.classes[priority].size
  }

  /** Whether `admit` would take a newcomer. */
  hasPlaceFor(newcomer: Newcomer): boolean {
    if (this.depth() < this.rules.capacity) return true
    return this.rules.full_policy === 'drop-lru' && this.displaceable.leastRecent(newcomer) !== undefined
  }

  /** Takes a newcomer in tentatively, or says why not. At capacity the policy decides. */
  admit(task: T): Admission<T> {
    if (this.entries.has(task.id)) throw new Error(`task ${task.id} is already in the queue`)
    const full = this.depth() >= this.rules.capacity
    if (full && this.rules.full_policy === 'reject') return { admitted: false, reason: 'queue_full' }
    const victim = full ? this.displaceable.leastRecent(task) : undefined
    if (full && victim === undefined) return { admitted: false, reason: 'nothing_to_drop' }
    if (victim !== undefined) {
      this.classes[victim.task.priority].hide(victim)
      this.unlist(victim)
    }
    this.insert(task).displaces = victim
    return victim === undefined ? { admitted: true } : { admitted: true, displaced: victim.task }
  }

  /** The newcomer's acceptance is durable: it may be dispatched, and what it displaced is gone. */
  confirm(id: string): void {
    const entry = this.expect(id)
    this.settle(entry)
    if (entry.displaces !== undefined) this.drop(entry.displaces)
    entry.displaces = undefined
  }

  /** The newcomer's acceptance failed: it is gone, and what it displaced is back in its old place. */
  rollback(id: string): void {
    const entry = this.expect(id)
    this.drop(entry)
    const victim = entry.displaces
    if (victim === undefined) return
    this.classes[victim.task.priority].show(victim)
    this.list(victim, true)
  }

  /** Puts a task that was accepted before a restart at the end of its class, whatever the capacity. */
  restore(task: T): void {
    this.settle(this.insert(task))
  }

  /** Takes the task whose turn it is out of the queue. */
  next(): T | undefined {
    const interactive = this.dispatchable('interactive')
    const batch = this.dispatchable('batch')
    const entry = interactive !== undefined && (batch === undefined || this.passed + 1 < this.rules.batch_every) ? interactive : batch
    if (entry === undefined) return undefined
    this.passed = entry === interactive && batch !== undefined ? this.passed + 1 : 0
    this.drop(entry)
    return entry.task
  }

  /** Takes a queued task out (canceled, expired, moved). False where it is not in the queue, tentative or set aside. */
  remove(id: string): boolean {
    const entry = this.entries.get(id)
    if (entry === undefined || entry.tentative || entry.hidden) return false
    this.drop(entry)
    return true
  }

  /** Queued tasks whose deadline is not after `now` (ms since the epoch), earliest first; they stay until removed. */
  expired(now: number): T[] {
    return this.deadlines.due(now).map(({ task }) => task)
  }

  /** Tasks that wait and may be taken out, interactive first, in order; do not change the queue while you go through them. */
  *tasks(): Iterable<T> {
    for (const priority of ['interactive', 'batch'] as const)
      for (const entry of this.classes[priority].all()) if (!entry.tentative && !entry.hidden) yield entry.task
  }

  /** What is ahead of a queued task if nobody else comes; undefined where it is not in the queue. */
  ahead(id: string): Ahead | undefined {
    const entry = this.entries.get(id)
    if (entry === undefined || entry.hidden) return undefined
    const { priority } = entry.task
    return this.interleave(priority, this.classes[priority].ahead(entry))
  }

  /** What would be ahead of a newcomer; what it would displace is not. */
  aheadOfNewcomer(newcomer: Newcomer): Ahead {
    const { priority } = newcomer
    const displaces = this.depth() >= this.rules.capacity && this.rules.full_policy === 'drop-lru'
    const victim = displaces ? this.displaceable.leastRecent(newcomer) : undefined
    if (victim !== undefined) this.classes[victim.task.priority].hide(victim)
    const ahead = this.interleave(priority, this.classes[priority].size)
    if (victim !== undefined) this.classes[victim.task.priority].show(victim)
    return ahead
  }

  /** How many of the other class go first: the rule of `next`, solved for a whole queue. */
  private interleave(priority: Priority, rank: number): Ahead {
    const other: Priority = priority === 'interactive' ? 'batch' : 'interactive'
    const every = this.rules.batch_every
    const until = Math.max(0, every - 1 - this.passed)
    const due = priority === 'interactive' ? (every === 1 ? Infinity : rank < until ? 0 : 1 + Math.floor((rank - until) / (every - 1))) : until + rank * (every - 1)
    const passing = Math.min(this.classes[other].size, due)
    const work_ms = (this.classes[priority].weightOfFirst(rank) + this.classes[other].weightOfFirst(passing)) / weight_per_ms
    return { position: rank + passing, work_ms, may_pass: due - passing }
  }

  private dispatchable(priority: Priority): Entry<T> | undefined {
    const entry = this.classes[priority].first()
    return entry === undefined || entry.tentative ? undefined : entry
  }

  private insert(task: T): Entry<T> {
    const order = this.admitted++
    const entry: Entry<T> = {
      task,
      order,
      slot: -1,
      hidden: false,
      tentative: true,
      bucket: undefined,
      bucket_index: -1,
      displaces: undefined,
      ofClass: undefined,
      ofOwner: undefined,
    }
    this.classes[task.priority].push(entry, Math.round(task.work_ms * weight_per_ms))
    this.entries.set(task.id, entry)
    return entry
  }

  private settle(entry: Entry<T>): void {
    if (!entry.tentative) return
    entry.tentative = false
    this.list(entry, false)
  }

  /** A task is queued: it may expire, and be displaced. */
  private list(entry: Entry<T>, again: boolean): void {
    this.deadlines.push(entry)
    if (this.rules.full_policy === 'drop-lru') this.displaceable.add(entry, again)
  }

  private unlist(entry: Entry<T>): void {
    this.deadlines.remove(entry)
    this.displaceable.remove(entry)
  }

  private drop(entry: Entry<T>): void {
    this.classes[entry.task.priority].remove(entry)
    this.unlist(entry)
    this.entries.delete(entry.task.id)
  }

  private expect(id: string): Entry<T> {
    const entry = this.entries.get(id)
    if (entry === undefined) throw new Error(`task ${id} is not in the queue`)
    return entry
  }
}

/** Weights are whole microseconds, so that their sums are exact up to 285 years. */
const weight_per_ms = 1000
