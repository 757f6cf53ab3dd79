import { Deadlines } from './deadlines.ts'
import { mostPassed } from './dispatch-order.ts'
import type { Queueable } from './queueable.ts'
import { RingSums } from './ring-sums.ts'

/** Not in the queue. */
export const absent = 0
/** Counts for position and capacity, must not go out yet. */
export const tentative = 1
/** Waits, and may make room for a newcomer. */
export const queued = 2
/** Was given back after it had gone out: waits, and makes no room. */
export const requeued = 3
/** Keeps its place out of sight, until it is shown or removed. */
export const aside = 4

export type State = typeof absent | typeof tentative | typeof queued | typeof requeued | typeof aside

/** Weights are whole microseconds of `work_ms`, so that their sums are exact up to 285 years. */
export const weight_per_ms = 1000

/**
 * FIFO queue of one class: a ring of slots, found by ticket, that knows for each element how many are ahead and how long they take.
 * All there is of an element is in arrays by slot; what comes and goes touches the ends of the ring and never a task that has long waited. A
 * ticket is good as long as its slot holds the very task. Every command is O(log n), amortised over new rings; `due` has its own rule.
 */
export class ClassQueue<T extends Queueable> {
  private readonly fewest: number
  private elements: (T | undefined)[] = []
  private states = new Uint8Array()
  private deadlines = new Deadlines(0)
  private sums = new RingSums(0)
  private mask = -1
  /** Ticket of the oldest element, aside or not. */
  private head = 0
  /** Ticket of the next element to come. */
  private tail = 0
  /** Elements, aside or not. */
  length = 0
  /** How often elements got other tickets. */
  renumbered = 0
  /** Rises with everything that changes who waits, or in which order. */
  changes = 0

  /** @param fewestSlots a power of two */
  constructor(fewestSlots = 64) {
    this.fewest = fewestSlots
    this.renew()
  }

  /** Elements that are not aside. */
  get size(): number {
    return this.sums.count
  }

  /** Tickets of all elements are from `from` to before `to`. */
  get from(): number {
    return this.head
  }

  get to(): number {
    return this.tail
  }

  stateOf(task: T): State {
    return this.at(task.ticket) === task ? this.stateIn(task.ticket & this.mask) : absent
  }

  /** State of what has the ticket. */
  stateAt(ticket: number): State {
    return ticket < this.head || ticket >= this.tail ? absent : this.stateIn(ticket & this.mask)
  }

  at(ticket: number): T | undefined {
    return this.elements[ticket & this.mask]
  }

  push(task: T, state: typeof tentative | typeof queued): void {
    if (this.tail - this.head > this.mask) this.renew()
    task.ticket = this.tail++
    this.place(task.ticket & this.mask, task, state, task.deadline_at, weightOf(task))
  }

  /** Puts a task that had gone out before all others; several in order of admission. */
  requeue(task: T): void {
    if (this.tail - this.head > this.mask) this.renew()
    this.head--
    this.sums.advance(-1)
    let free = this.head
    for (let ticket = free + 1; ticket < this.tail; ticket++) {
      const slot = ticket & this.mask
      const other = this.elements[slot]
      if (other === undefined) continue
      if (this.stateIn(slot) !== requeued || other.arrival > task.arrival) break
      this.vacate(slot)
      other.ticket = free
      this.place(free & this.mask, other, requeued, other.deadline_at, weightOf(other))
      free = ticket
    }
    task.ticket = free
    this.place(free & this.mask, task, requeued, task.deadline_at, weightOf(task))
  }

  /** A tentative element may go out. */
  settle(task: T): void {
    if (this.stateOf(task) === tentative) this.become(task.ticket & this.mask, queued)
  }

  /** Takes a queued element out of sight but keeps its place for `show`. */
  hide(task: T): void {
    const slot = task.ticket & this.mask
    this.become(slot, aside)
    this.sums.take(slot)
  }

  show(task: T): void {
    const slot = task.ticket & this.mask
    this.become(slot, queued)
    this.sums.put(slot, weightOf(task))
  }

  /** Removes an element that is in. */
  remove(task: T): void {
    this.leave(task.ticket & this.mask)
  }

  /** Slot of the oldest that is not aside, or of one of the next few, where all before it wait and do not fit; -1 where none may go out. */
  find(fits: (task: T) => boolean): number {
    let slot = this.head & this.mask
    if (this.states[slot] === aside && this.size > 0) slot = this.sums.slotOf(0)
    for (let rank = 1; ; rank++) {
      const task = this.elements[slot]
      if (task === undefined || !isWaiting(this.stateIn(slot))) return -1
      if (fits(task)) return slot
      if (rank >= mostPassed || rank >= this.size) return -1
      slot = this.sums.slotOf(rank)
    }
  }

  /** What `find` has found. */
  inSlot(slot: number): T | undefined {
    return this.elements[slot]
  }

  /** Removes what `find` has found. */
  take(slot: number): T | undefined {
    const task = this.inSlot(slot)
    if (task !== undefined) this.leave(slot)
    return task
  }

  /** Elements that may be taken out, in order; do not change the queue while you go through them. */
  *all(): Iterable<T> {
    for (let ticket = this.head; ticket < this.tail; ticket++) {
      const task = this.at(ticket)
      if (task !== undefined && isWaiting(this.stateAt(ticket))) yield task
    }
  }

  /** Adds elements that may be taken out and whose deadline is not after `now` (ms since the epoch) to `found`, in no order. */
  due(now: number, found: T[]): void {
    for (const slot of this.deadlines.due(now)) {
      const task = this.elements[slot]
      if (task !== undefined && isWaiting(this.stateIn(slot))) found.push(task)
    }
  }

  /** The element with the earliest deadline. */
  soonest(): T | undefined {
    const slot = this.deadlines.soonest()
    return slot === undefined ? undefined : this.elements[slot]
  }

  /** How many are ahead of an element that is not aside. */
  ahead({ ticket }: T): number {
    return ticket === this.tail - 1 ? this.size - 1 : this.sums.countBefore(ticket & this.mask)
  }

  /** Weight of the first `count` elements that are not aside. */
  weightOfFirst(count: number): number {
    const { sums } = this
    const newest = sums.weightAt((this.tail - 1) & this.mask)
    return count === this.size - 1 && newest >= 0 ? sums.weight - newest : sums.weightOfFirst(count)
  }

  private become(slot: number, state: State): void {
    this.states[slot] = state
    this.changes++
  }

  private stateIn(slot: number): State {
    return (this.states[slot] ?? absent) as State
  }

  private place(slot: number, task: T, state: State, deadline_at: number, weight: number): void {
    this.elements[slot] = task
    this.become(slot, state)
    this.deadlines.put(slot, deadline_at)
    this.length++
    if (state !== aside) this.sums.put(slot, weight)
  }

  private leave(slot: number): void {
    this.vacate(slot)
    while (this.head < this.tail && this.states[this.head & this.mask] === absent) {
      this.head++
      this.sums.advance(1)
    }
    if (this.mask >= this.fewest && this.length * 8 <= this.mask) this.renew()
  }

  private vacate(slot: number): void {
    if (this.states[slot] !== aside) this.sums.take(slot)
    this.elements[slot] = undefined
    this.deadlines.clear(slot)
    this.become(slot, absent)
    this.length--
  }

  /**
   * Moves the elements into a new ring, without holes and with room for half as many more. O(slots), and from then on at least a fifth as
   * many come or go before the next. Those before the first hole keep their tickets.
   */
  private renew(): void {
    const { elements, states, deadlines, sums, mask, head, tail } = this
    const size = 2 ** Math.ceil(Math.log2(Math.max(this.fewest, this.length * 1.5)))
    this.elements = new Array<T | undefined>(size).fill(undefined)
    this.states = new Uint8Array(size)
    this.mask = size - 1
    this.deadlines = new Deadlines(size)
    this.sums = new RingSums(size, head & this.mask)
    this.tail = head
    this.length = 0
    for (let ticket = head; ticket < tail; ticket++) {
      const slot = ticket & mask
      const task = elements[slot]
      if (task === undefined) continue
      const at = this.tail++
      if (at !== ticket) task.ticket = at
      this.place(at & this.mask, task, (states[slot] ?? absent) as State, deadlines.at(slot), sums.weightAt(slot))
    }
    if (this.tail !== tail) this.renumbered++
  }
}

/** Whether it may go out. */
export const isWaiting = (state: State): boolean => state === queued || state === requeued

const weightOf = ({ work_ms }: Queueable): number => Math.round(work_ms * weight_per_ms)
