import type { Breaker } from '../../domain/placement/breaker.ts'
import type { Waiter } from '../../domain/groups/forecast.ts'
import { PoolMember, type LoadState, type Member } from '../../domain/groups/member.ts'
import { believed } from '../../domain/groups/swap-times.ts'
import type { Start } from '../../domain/prediction/forecast.ts'
import type { PoolRecords } from './pool-records.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { Seat, SeatForesight } from './seat.ts'

/** Who waits for the place of a pool. @see Group.lend */
export interface Borrower {
  /** The place is empty. */
  readonly take: () => void
}

/** What a seat asks of its group. @see Seat */
export interface SeatGroup<T extends PoolTask> {
  readonly records: PoolRecords
  readonly changed: () => void
  /** Milliseconds since the epoch. */
  now(): number
  /** One for the loads of a pool. */
  newBreaker(): Breaker
  isPinned(seat: GroupSeat<T>): boolean
  loadedIn(seat: GroupSeat<T>, waiter: Waiter): Start
  holderOf(seat: GroupSeat<T>): string | undefined
  foresee(seat: GroupSeat<T>, change: 'want' | 'sendAway'): SeatForesight
}

/** What a group keeps of one of its pools. */
export class GroupSeat<T extends PoolTask> implements Seat {
  /** The one that serves under its id. */
  pool: Pool<T>
  state: LoadState = 'asleep'
  /** Since when it is in that state, ms since the epoch. */
  since: number
  /** Its loads that fail. */
  breaker: Breaker
  /** It is not loaded before, ms since the epoch. */
  retry_at = 0
  refusal: string | undefined
  borrower: Borrower | undefined
  /** An operator wants it loaded now. */
  wanted = false
  /** An operator has sent it away; until it is loaded again. */
  sentAway = false
  /** Until when it does not leave for others, ms since the epoch. */
  held_until = 0
  private readonly group: SeatGroup<T>

  constructor(pool: Pool<T>, group: SeatGroup<T>) {
    this.pool = pool
    this.since = group.now()
    this.breaker = group.newBreaker()
    this.group = group
  }

  get pinned(): boolean {
    return this.group.isPinned(this)
  }

  get holder(): string | undefined {
    return this.group.holderOf(this)
  }

  loadedIn(waiter: Waiter): Start {
    return this.group.loadedIn(this, waiter)
  }

  changed(): void {
    this.group.changed()
  }

  pardon(): void {
    this.renew()
    this.group.changed()
  }

  want(): void {
    this.sentAway = false
    if (this.state === 'loaded') return
    this.wanted = true
    this.retry_at = 0
    this.group.changed()
  }

  sendAway(): void {
    this.wanted = false
    this.sentAway = true
    this.group.changed()
  }

  foresee(change: 'want' | 'sendAway'): SeatForesight {
    return this.group.foresee(this, change)
  }

  /** Its model, or whether it may be served, is another matter from now on: what has failed before is forgotten. */
  renew(): void {
    ;[this.refusal, this.retry_at, this.breaker] = [undefined, 0, this.group.newBreaker()]
  }

  /** The pool as the arbiter sees it. A borrower counts as a task that waits, and so does the wish of an operator. @param as how it might be */
  member(now: number, as: { readonly state?: LoadState; readonly wanted?: boolean } = {}): Member {
    const { pool, since, borrower, sentAway: rests, held_until } = this
    const { state = this.state, wanted = this.wanted } = as
    const { id, config, scheduler, estimator, running } = pool
    const swap = believed(this.group.records.swapTimes(config))
    const work = () => Array.from(running, (task) => task.workAt(now))
    // What is wrong with its model is not with a borrower's. What may not be served is not loaded for nothing.
    const retry_at = borrower !== undefined ? 0 : pool.blocked !== undefined && scheduler.depth() === 0 ? Infinity : this.retry_at
    const slots = pool.slotsInAll
    const parts = { id, state, since, retry_at, scheduler, estimator, now, busy: running.size, work, slots, swap }
    return new PoolMember({ ...parts, wanted, rests, held_until, guests: (borrower === undefined ? 0 : 1) + (wanted ? 1 : 0) })
  }
}
