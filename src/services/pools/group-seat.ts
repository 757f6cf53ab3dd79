import type { Breaker } from '../../domain/placement/breaker.ts'
import type { Waiter } from '../../domain/groups/forecast.ts'
import { PoolMember, type LoadState, type Member } from '../../domain/groups/member.ts'
import { believed } from '../../domain/groups/swap-times.ts'
import type { Start } from '../../domain/prediction/forecast.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { PoolRecords } from './pool-records.ts'
import type { Seat } from './seat.ts'

/** Who waits for the place of a pool. @see Group.lend */
export interface Borrower {
  /** The place is empty. */
  readonly take: () => void
}

/** What a seat asks of its group. */
export interface SeatOwner<T extends PoolTask> {
  /** @see Seat.loadedIn */
  loadedIn(seat: GroupSeat<T>, waiter: Waiter): Start
  /** @see Seat.holder */
  holderOf(seat: GroupSeat<T>): string | undefined
  /** @see Seat.changed */
  changed(): void
  /** One for the loads of a pool. */
  newBreaker(): Breaker
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
  private readonly records: PoolRecords
  private readonly group: SeatOwner<T>

  constructor(pool: Pool<T>, records: PoolRecords, now: number, group: SeatOwner<T>) {
    this.pool = pool
    this.since = now
    this.breaker = group.newBreaker()
    this.records = records
    this.group = group
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
    Object.assign(this, { refusal: undefined, retry_at: 0, breaker: this.group.newBreaker() })
    this.group.changed()
  }

  /** The pool as the arbiter sees it. A borrower counts as a task that waits. */
  member(now: number): Member {
    const { pool, state, since, borrower } = this
    const { id, config, scheduler, estimator, running } = pool
    const swap = believed(this.records.swapTimes(config))
    const work = () => Array.from(running, (task) => task.workAt(now))
    // What may not be served is not loaded for nothing.
    const retry_at = pool.blocked !== undefined && scheduler.depth() === 0 ? Infinity : this.retry_at
    const slots = pool.slotsInAll
    const parts = { id, state, since, retry_at, scheduler, estimator, now, busy: running.size, work, slots, swap }
    return new PoolMember({ ...parts, guests: borrower === undefined ? 0 : 1 })
  }
}
