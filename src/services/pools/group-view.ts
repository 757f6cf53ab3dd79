import { Arbiter, type GroupRules } from '../../domain/groups/arbiter.ts'
import { forecastLoad, type Waiter } from '../../domain/groups/forecast.ts'
import { isAwake, type Member } from '../../domain/groups/member.ts'
import { Breaker } from '../../domain/placement/breaker.ts'
import type { Start } from '../../domain/prediction/forecast.ts'
import type { Clock } from '../../ports/clock.ts'
import { GroupSeat, type SeatGroup } from './group-seat.ts'
import type { PoolRecords } from './pool-records.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'
import type { SeatForesight } from './seat.ts'

/** What is looked at, and how time goes. */
export interface GroupViewParts<T extends PoolTask> {
  readonly rules: GroupRules
  readonly pools: readonly Pool<T>[]
  readonly records: PoolRecords
  readonly clock: Clock
  /** 0 to 1, @see Breaker */
  readonly jitter: () => number
}

/** The pools of a group as they are, and what is to be expected of them. It changes nothing. */
export class GroupView<T extends PoolTask> implements SeatGroup<T> {
  readonly arbiter: Arbiter
  readonly seats: readonly GroupSeat<T>[]
  readonly records: PoolRecords
  /** It is to be looked again what is loaded. */
  readonly changed: () => void
  private readonly parts: GroupViewParts<T>

  constructor(parts: GroupViewParts<T>, changed: () => void) {
    this.parts = parts
    this.records = parts.records
    this.changed = changed
    this.arbiter = new Arbiter(parts.rules)
    this.seats = parts.pools.map((pool) => new GroupSeat(pool, this))
  }

  now(): number {
    return this.parts.clock.now()
  }

  /** One for the loads of a pool. */
  newBreaker(): Breaker {
    return new Breaker(this.now(), this.parts.jitter)
  }

  isPinned({ pool }: GroupSeat<T>): boolean {
    return this.parts.rules.pin.includes(pool.id)
  }

  /** The pools as the arbiter sees them. */
  members(): Member[] {
    const now = this.now()
    return this.seats.map((seat) => seat.member(now))
  }

  /** @see Seat.loadedIn */
  loadedIn({ pool }: GroupSeat<T>, waiter: Waiter, members = this.members()): Start {
    return forecastLoad(this.arbiter, members, pool.id, waiter, this.now())
  }

  /** @see Seat.holder */
  holderOf(seat: GroupSeat<T>): string | undefined {
    const awake = this.seats.filter((one) => one !== seat && one.state !== 'asleep')
    if (awake.length < this.parts.rules.loaded) return undefined
    const leaving = awake.find(({ state }) => state === 'leaving' || state === 'unloading')
    return (leaving ?? awake.find((one) => !this.isPinned(one)))?.pool.id
  }

  /** @see Seat.foresee */
  foresee(seat: GroupSeat<T>, change: 'want' | 'sendAway'): SeatForesight {
    const now = this.now()
    const leaves = change === 'want' ? this.arbiter.leavesFor(this.members(), seat.pool.id) : isAwake(seat) ? seat.pool.id : undefined
    const members = this.seats.map((one) => {
      if (one.pool.id === leaves) return one.member(now, { state: 'leaving', wanted: false })
      return one === seat && change === 'want' ? one.member(now, { wanted: true }) : one.member(now)
    })
    const away = this.seats.find((one) => one.pool.id === leaves)
    return { leaves, loadedIn: (waiter) => this.loadedIn(away ?? seat, waiter, members) }
  }
}
