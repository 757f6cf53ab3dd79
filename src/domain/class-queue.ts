import { RankSums } from './rank-sums.ts'

/** What a queue has to know of its elements, and what it keeps in them so that finding one needs no search. */
export interface Queueable {
  /** Milliseconds since the epoch. */
  readonly deadline_at: number
  /** Expected service time of one slot, ms. */
  readonly work_ms: number
  /** Its place in the queue it is or was in last, in order of places. Only that queue writes it. */
  ticket: number
  /** Order of admission among all that have come in. Only the scheduler writes it. */
  turn: number
}

/** Not in the queue. */
export const absent = 0
/** Counts for position and capacity, must not go out yet. */
export const tentative = 1
/** Waits, and may make room for a newcomer. */
export const queued = 2
/** Was given back after it had gone out: waits, and makes no room. */
export const begun = 3
/** Keeps its place out of sight, until it is shown or removed. */
export const aside = 4

export type State = typeof absent | typeof tentative | typeof queued | typeof begun | typeof aside

/** Weights are whole microseconds of `work_ms`, so that their sums are exact up to 285 years. */
export const weight_per_ms = 1000
/** Slots, as a power of two, of which the earliest deadline is kept. */
const blockBits = 8

/**
 * FIFO queue of one class: a ring of slots, found by ticket, that knows for each element how many are ahead and how long they take.
 * All there is of an element is in arrays by slot; what comes and goes touches the ends of the ring and never a task that has long been
 * waiting. A ticket is good as long as its slot holds the very task, so that nothing has to be crossed out.
 * Every command is O(log n) of base 32, amortised over new rings; `due` is O(n / 256, and 256 for each block that has or had something due).
 */
export class ClassQueue<T extends Queueable> {
  private readonly fewest: number
  private elements: (T | undefined)[] = []
  private states = new Uint8Array()
  private deadlines = new Float64Array()
  /** No deadline in the block is before this. */
  private earliest = new Float64Array()
  private sums = new RankSums(0)
  private mask = -1
  /** Ticket of the oldest element, aside or not. */
  private head = 0
  /** Ticket of the next element to come. */
  private tail = 0
  private present = 0
  /** Count and weight of what is in slots before the head's, where the ring has gone round. */
  private wrapped = 0
  private wrappedWeight = 0
  private renewals = 0

  /** @param fewestSlots a power of two */
  constructor(fewestSlots = 64) {
    this.fewest = fewestSlots
    this.renew()
  }

  /** Elements that are not aside. */
  get size(): number {
    return this.sums.count
  }

  /** Elements, aside or not. */
  get length(): number {
    return this.present
  }

  /** Tickets of all elements are from `from` to before `to`. */
  get from(): number {
    return this.head
  }

  get to(): number {
    return this.tail
  }

  /** How often elements got other tickets. */
  get renumbered(): number {
    return this.renewals
  }

  stateOf(task: T): State {
    const slot = task.ticket & this.mask
    return this.elements[slot] === task ? this.stateIn(slot) : absent
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
  giveBack(task: T): void {
    if (this.tail - this.head > this.mask) this.renew()
    this.setHead(this.head - 1)
    let free = this.head
    for (let ticket = free + 1; ticket < this.tail; ticket++) {
      const slot = ticket & this.mask
      const other = this.elements[slot]
      if (other === undefined) continue
      if (this.stateIn(slot) !== begun || other.turn > task.turn) break
      this.vacate(slot)
      other.ticket = free
      this.place(free & this.mask, other, begun, other.deadline_at, weightOf(other))
      free = ticket
    }
    task.ticket = free
    this.place(free & this.mask, task, begun, task.deadline_at, weightOf(task))
  }

  /** A tentative element may go out. */
  settle(task: T): void {
    const slot = task.ticket & this.mask
    if (this.stateIn(slot) === tentative) this.states[slot] = queued
  }

  /** Takes a queued element out of sight but keeps its place for `show`. */
  hide(task: T): void {
    const slot = task.ticket & this.mask
    this.states[slot] = aside
    this.uncount(slot)
  }

  show(task: T): void {
    const slot = task.ticket & this.mask
    this.states[slot] = queued
    this.count(slot, weightOf(task))
  }

  /** Removes an element that is in. */
  remove(task: T): void {
    this.leave(task.ticket & this.mask)
  }

  /** Whether the oldest that is not aside may go out. */
  get ready(): boolean {
    const state = this.stateIn(this.first())
    return state === queued || state === begun
  }

  /** Removes the oldest that is not aside. */
  shift(): T | undefined {
    const slot = this.first()
    const task = this.elements[slot]
    if (task !== undefined) this.leave(slot)
    return task
  }

  /** Elements that may be taken out, in order; do not change the queue while you go through them. */
  *all(): Iterable<T> {
    for (let ticket = this.head; ticket < this.tail; ticket++) {
      const task = this.at(ticket)
      const state = this.stateAt(ticket)
      if (task !== undefined && (state === queued || state === begun)) yield task
    }
  }

  /** Adds elements that may be taken out and whose deadline is not after `now` (ms since the epoch) to `found`, in no order. */
  due(now: number, found: T[]): void {
    const { elements, states, deadlines, earliest } = this
    for (let block = 0; block < earliest.length; block++) {
      if ((earliest[block] ?? Infinity) > now) continue
      let next = Infinity
      for (let slot = block << blockBits; slot < Math.min(states.length, (block + 1) << blockBits); slot++) {
        const task = elements[slot]
        if (task === undefined) continue
        const deadline_at = deadlines[slot] ?? Infinity
        if (deadline_at < next) next = deadline_at
        if (deadline_at <= now && (states[slot] === queued || states[slot] === begun)) found.push(task)
      }
      earliest[block] = next
    }
  }

  /** How many are ahead of an element that is not aside. */
  ahead({ ticket }: T): number {
    if (ticket === this.tail - 1) return this.size - 1
    const slot = ticket & this.mask
    const count = this.sums.countBefore(slot) - this.wrapped
    return slot < (this.head & this.mask) ? count + this.size : count
  }

  /** Weight of the first `count` elements that are not aside. */
  weightOfFirst(count: number): number {
    const { size, sums } = this
    if (count <= 0) return 0
    if (count >= size) return sums.weight
    if (count === size - 1) {
      const newest = sums.weightAt((this.tail - 1) & this.mask)
      if (newest >= 0) return sums.weight - newest
    }
    const rank = count + this.wrapped
    return rank < size ? sums.weightOfFirst(rank) - this.wrappedWeight : sums.weightOfFirst(rank - size) + sums.weight - this.wrappedWeight
  }

  private stateIn(slot: number): State {
    return (this.states[slot] ?? absent) as State
  }

  /** Slot of the oldest element that is not aside; the head's, where there is none. */
  private first(): number {
    const slot = this.head & this.mask
    if (this.states[slot] !== aside || this.size === 0) return slot
    return this.sums.slotOf(this.wrapped < this.size ? this.wrapped : 0)
  }

  private place(slot: number, task: T, state: State, deadline_at: number, weight: number): void {
    this.elements[slot] = task
    this.states[slot] = state
    this.deadlines[slot] = deadline_at
    const block = slot >> blockBits
    if (deadline_at < (this.earliest[block] ?? Infinity)) this.earliest[block] = deadline_at
    this.present++
    if (state !== aside) this.count(slot, weight)
  }

  private leave(slot: number): void {
    this.vacate(slot)
    while (this.head < this.tail && this.states[this.head & this.mask] === absent) this.setHead(this.head + 1)
    if (this.mask >= this.fewest && this.present * 8 <= this.mask) this.renew()
  }

  private vacate(slot: number): void {
    if (this.states[slot] !== aside) this.uncount(slot)
    this.elements[slot] = undefined
    this.states[slot] = absent
    this.present--
  }

  private count(slot: number, weight: number): void {
    this.sums.put(slot, weight)
    if (slot >= (this.head & this.mask)) return
    this.wrapped++
    this.wrappedWeight += weight
  }

  private uncount(slot: number): void {
    const weight = this.sums.take(slot)
    if (slot >= (this.head & this.mask)) return
    this.wrapped--
    this.wrappedWeight -= weight
  }

  /** Moves the head by one, over or onto an empty slot. */
  private setHead(ticket: number): void {
    const round = ((ticket < this.head ? this.head : ticket) & this.mask) === 0
    if (round) {
      this.wrapped = ticket < this.head ? this.sums.count : 0
      this.wrappedWeight = ticket < this.head ? this.sums.weight : 0
    }
    this.head = ticket
  }

  /**
   * Moves the elements into a new ring, without holes and with room for half as many more. O(slots), and from then on at least a fifth as
   * many come or go before the next. Those before the first hole keep their tickets.
   */
  private renew(): void {
    const { elements, states, deadlines, sums, mask, head, tail } = this
    const size = 2 ** Math.ceil(Math.log2(Math.max(this.fewest, this.present * 1.5)))
    this.elements = new Array<T | undefined>(size).fill(undefined)
    this.states = new Uint8Array(size)
    this.deadlines = new Float64Array(size)
    this.earliest = new Float64Array(Math.max(1, size >> blockBits)).fill(Infinity)
    this.sums = new RankSums(size)
    this.mask = size - 1
    this.tail = head
    this.present = this.wrapped = this.wrappedWeight = 0
    for (let ticket = head; ticket < tail; ticket++) {
      const slot = ticket & mask
      const task = elements[slot]
      if (task === undefined) continue
      const at = this.tail++
      if (at !== ticket) task.ticket = at
      this.place(at & this.mask, task, (states[slot] ?? absent) as State, deadlines[slot] ?? 0, sums.weightAt(slot))
    }
    if (this.tail !== tail) this.renewals++
  }
}

const weightOf = ({ work_ms }: Queueable): number => Math.round(work_ms * weight_per_ms)
