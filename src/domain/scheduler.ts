import { DeadlineHeap } from './deadline-heap.ts'
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
  readonly deadline_at: number
  readonly weight: number
  heap_index: number
  slot: number
  hidden: boolean
  /** Admitted but not durable yet: counts for capacity and position, is not dispatched. */
  tentative: boolean
  /** The entry that leaves when this one is confirmed. */
  displaces: Entry<T> | undefined
}

/**
 * The queue of one pool: interactive before batch, FIFO inside a class, batch never starved.
 * A state machine without I/O or clock. A newcomer is tentative between `admit` and `confirm`, so that a failed commit can take
 * its admission and the displacement it caused back.
 *
 * States of a task: absent -> tentative -(confirm)-> queued -(next | remove)-> absent; tentative -(rollback)-> absent;
 * queued -(displaced by a newcomer)-> set aside -(newcomer confirmed)-> absent, or -(newcomer rolled back)-> queued.
 */
export class Scheduler<T extends Schedulable> {
  readonly rules: SchedulerRules
  private readonly entries = new Map<string, Entry<T>>()
  private readonly classes: Record<Priority, RankedQueue<Entry<T>>> = { interactive: new RankedQueue(), batch: new RankedQueue() }
  /** Per owner and class, in order of admission, to find an owner's oldest task. */
  private readonly owned = new Map<string, Record<Priority, Set<Entry<T>>>>()
  private readonly deadlines = new DeadlineHeap<Entry<T>>()
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
    return this.rules.full_policy === 'drop-lru' && this.leastRecent(newcomer) !== undefined
  }

  /** Takes a newcomer in tentatively, or says why not. At capacity the policy decides. */
  admit(task: T): Admission<T> {
    if (this.entries.has(task.id)) throw new Error(`task ${task.id} is already in the queue`)
    const full = this.depth() >= this.rules.capacity
    if (full && this.rules.full_policy === 'reject') return { admitted: false, reason: 'queue_full' }
    const victim = full ? this.leastRecent(task) : undefined
    if (full && victim === undefined) return { admitted: false, reason: 'nothing_to_drop' }
    if (victim !== undefined) this.setAside(victim)
    this.insert(task, true).displaces = victim
    return victim === undefined ? { admitted: true } : { admitted: true, displaced: victim.task }
  }

  /** The newcomer's acceptance is durable: it may be dispatched, and what it displaced is gone. */
  confirm(id: string): void {
    const entry = this.expect(id)
    entry.tentative = false
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
    this.deadlines.push(victim)
  }

  /** Puts a task that was accepted before a restart at the end of its class, whatever the capacity. */
  restore(task: T): void {
    this.insert(task, false)
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
    const due: Entry<T>[] = []
    for (let entry = this.deadlines.earliest; entry !== undefined && entry.deadline_at <= now; entry = this.deadlines.earliest) {
      this.deadlines.remove(entry)
      due.push(entry)
    }
    for (const entry of due) this.deadlines.push(entry)
    return due.filter((entry) => !entry.tentative).map((entry) => entry.task)
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
    const victim = displaces ? this.leastRecent(newcomer) : undefined
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
    return { position: rank + passing, work_ms: this.classes[priority].weightOfFirst(rank) + this.classes[other].weightOfFirst(passing), may_pass: due - passing }
  }

  private dispatchable(priority: Priority): Entry<T> | undefined {
    const entry = this.classes[priority].first()
    return entry === undefined || entry.tentative ? undefined : entry
  }

  /** The oldest queued task of the lowest class not above the newcomer's: of its own key first, then of any. */
  private leastRecent(newcomer: Newcomer): Entry<T> | undefined {
    const order: readonly Priority[] = newcomer.priority === 'interactive' ? ['batch', 'interactive'] : ['batch']
    const own = this.owned.get(newcomer.owner)
    for (const priority of order) for (const entry of own?.[priority] ?? []) if (!entry.tentative && !entry.hidden) return entry
    for (const priority of order) {
      const entry = this.classes[priority].first(({ tentative }) => !tentative)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  private insert(task: T, tentative: boolean): Entry<T> {
    const { deadline_at, work_ms } = task
    const entry: Entry<T> = { task, deadline_at, weight: work_ms, heap_index: -1, slot: -1, hidden: false, tentative, displaces: undefined }
    this.classes[task.priority].push(entry)
    this.entries.set(task.id, entry)
    let own = this.owned.get(task.owner)
    if (own === undefined) this.owned.set(task.owner, (own = { interactive: new Set(), batch: new Set() }))
    own[task.priority].add(entry)
    this.deadlines.push(entry)
    return entry
  }

  private setAside(entry: Entry<T>): void {
    this.classes[entry.task.priority].hide(entry)
    this.deadlines.remove(entry)
  }

  private drop(entry: Entry<T>): void {
    const { id, owner, priority } = entry.task
    this.classes[priority].remove(entry)
    this.deadlines.remove(entry)
    this.entries.delete(id)
    const own = this.owned.get(owner)
    own?.[priority].delete(entry)
    if (own !== undefined && own.interactive.size + own.batch.size === 0) this.owned.delete(owner)
  }

  private expect(id: string): Entry<T> {
    const entry = this.entries.get(id)
    if (entry === undefined) throw new Error(`task ${id} is not in the queue`)
    return entry
  }
}
