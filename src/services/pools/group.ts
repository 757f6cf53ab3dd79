import type { EventSink } from '../../domain/daemon-events.ts'
import type { LoadState } from '../../domain/groups/member.ts'
import { learned, type SwapTimes } from '../../domain/groups/swap-times.ts'
import type { CancelTimer } from '../../ports/clock.ts'
import type { GroupSeat } from './group-seat.ts'
import { GroupView, type GroupViewParts } from './group-view.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pool } from './pool.ts'

/** What a group works with. */
export interface GroupParts<T extends PoolTask> extends GroupViewParts<T> {
  readonly id: string
  readonly events: EventSink
}

/**
 * Pools that share devices. It asks the arbiter whenever something has changed, and starts and stops the replicas of its pools as that decides.
 * Nothing is loaded before `start`, and nothing changes after `stop`.
 */
export class Group<T extends PoolTask> {
  private readonly parts: GroupParts<T>
  private readonly view: GroupView<T>
  private readonly seats: readonly GroupSeat<T>[]
  private readonly underWay = new Set<Promise<void>>()
  private active = false
  private toLook = false
  private cancelLook: CancelTimer = () => undefined

  constructor(parts: GroupParts<T>) {
    this.parts = parts
    this.view = new GroupView(parts, () => this.changed())
    this.seats = this.view.seats
    for (const seat of this.seats) this.seatAsleep(seat)
  }

  /** Loads what is to be loaded; resolves when each of it is up or has failed. */
  async start(): Promise<void> {
    this.active = true
    for (const { pool } of this.seats) pool.life = 'open'
    this.look()
    await Promise.all(this.underWay)
  }

  /** Nothing is loaded or unloaded from now on. */
  stop(): void {
    this.active = false
    this.cancelLook()
  }

  has(pool: Pool<T>): boolean {
    return this.seats.some((seat) => seat.pool === pool)
  }

  private seatAsleep(seat: GroupSeat<T>): void {
    seat.pool.seat = seat
    for (const replica of seat.pool.replicas) replica.state = 'stopped'
  }

  /** One look for all that changes in one step. */
  changed(): void {
    if (this.toLook || !this.active) return
    this.toLook = true
    queueMicrotask(() => {
      this.toLook = false
      this.look()
    })
  }

  private look(): void {
    if (!this.active) return
    this.cancelLook()
    for (const seat of this.seats) {
      this.followReplicas(seat)
      // Who comes into a place that is its own already waits for nobody's turn.
      if ((seat.sentAway || seat.borrower !== undefined) && seat.state === 'loaded') this.become(seat, 'leaving')
    }
    const { clock } = this.parts
    const now = clock.now()
    const { load, release, keep, look_at } = this.view.arbiter.decide(this.view.members(), now)
    for (const seat of this.seats) {
      const { id } = seat.pool
      if (keep.includes(id) && seat.borrower === undefined && !seat.sentAway) this.become(seat, 'loaded')
      else if (release.includes(id)) this.become(seat, 'leaving')
      else if (load.includes(id)) this.run(() => this.load(seat))
      if (seat.state === 'leaving' && seat.pool.running.size === 0) this.run(() => this.unload(seat))
    }
    if (look_at < Infinity) this.cancelLook = clock.after(look_at - now, () => this.look())
  }

  /** Its engines may have failed, or the catalog may have stopped them: the place is free when they are gone, and what still runs on them has ended. */
  private followReplicas(seat: GroupSeat<T>): void {
    if (seat.state !== 'loaded' && seat.state !== 'leaving') return
    const { live, running, replicas } = seat.pool
    if (live || running.size > 0) return
    if (replicas.some(({ state }) => state === 'down')) this.failed(seat)
    this.run(() => this.unload(seat))
  }

  /** The next load waits, so that the others have their turn. */
  private failed(seat: GroupSeat<T>): void {
    const now = this.parts.clock.now()
    seat.retry_at = now + seat.breaker.tripped(now)
  }

  private async load(seat: GroupSeat<T>): Promise<void> {
    seat.sentAway = false
    this.become(seat, 'loading')
    const { pool, borrower } = seat
    if (borrower !== undefined) {
      borrower.take()
      return
    }
    const began_at = this.parts.clock.now()
    await Promise.all(pool.replicas.map((replica) => replica.resume()))
    if (!this.active) return
    if (pool.ready) {
      seat.breaker.succeeded(this.parts.clock.now())
      this.learn(seat, 'load_ms', began_at)
      this.become(seat, 'loaded', { took_ms: this.parts.clock.now() - began_at })
      pool.onCapacity()
      return
    }
    const error = pool.replicas.find(({ last_error }) => last_error !== undefined)?.last_error ?? 'no replica came up'
    if (pool.replicas.every(({ state }) => state === 'stopped')) Object.assign(seat, { refusal: error, retry_at: Infinity })
    else this.failed(seat)
    seat.wanted = false
    await pool.stop()
    this.become(seat, 'asleep', { error })
  }

  private async unload(seat: GroupSeat<T>): Promise<void> {
    this.become(seat, 'unloading')
    const began_at = this.parts.clock.now()
    try {
      // A server that runs on holds its model until it is told. One that does not let go of it is started anew all the same.
      await seat.pool.unload().catch((err: unknown) => this.tell(err, { pool_id: seat.pool.id }))
      await seat.pool.stop()
      this.learn(seat, 'unload_ms', began_at)
    } finally {
      this.become(seat, 'asleep', { took_ms: this.parts.clock.now() - began_at })
    }
  }

  /**
   * Empties a pool's place for the engines of another, when its turn comes; tasks that run end before.
   * @param signal gives up, with its reason
   * @returns hands the place back, with the pool that is loaded in it now; asleep as before where there is none
   */
  lend(pool: Pool<T>, signal: AbortSignal): Promise<(successor?: Pool<T>) => void> {
    const seat = this.seats.find((one) => one.pool === pool)
    if (seat === undefined) throw new Error(`pool ${pool.id} has no place in group ${this.parts.id}`)
    const giveBack = (successor = seat.pool): void => {
      const isNew = successor !== seat.pool
      seat.pool.seat = undefined
      seat.pool = successor
      if (isNew) seat.renew()
      successor.seat = seat
      this.become(seat, isNew ? 'loaded' : 'asleep')
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        seat.borrower = undefined
        this.changed()
        reject(signal.reason as Error)
      }
      if (signal.aborted || seat.borrower !== undefined) {
        giveUp()
        return
      }
      signal.addEventListener('abort', giveUp, { once: true })
      seat.borrower = {
        take: () => {
          signal.removeEventListener('abort', giveUp)
          seat.borrower = undefined
          resolve(giveBack)
        },
      }
      this.changed()
    })
  }

  private become(seat: GroupSeat<T>, state: LoadState, { took_ms, error }: { took_ms?: number; error?: string } = {}): void {
    seat.state = state
    seat.since = this.parts.clock.now()
    const { id: pool_id, config } = seat.pool
    const names = { pool_id, group_id: this.parts.id, model_ref: config.model }
    this.parts.events.emit({ type: 'pool_load_changed', ...names, state, took_ms, error })
    if (state === 'loaded') {
      if (seat.wanted) seat.held_until = seat.since + this.parts.rules.max_hold_ms
      seat.wanted = false
      seat.pool.onCapacity()
    }
    this.changed()
  }

  private learn({ pool: { config } }: GroupSeat<T>, kind: keyof SwapTimes, began_at: number): void {
    const { records, clock } = this.parts
    const times = learned(records.swapTimes(config), kind, clock.now() - began_at)
    this.run(() => records.setSwapTimes(config, times))
  }

  /** Does something in the background; what goes wrong is told. */
  private run(what: () => Promise<void>): void {
    const done = what().catch((err: unknown) => this.tell(err))
    this.underWay.add(done)
    void done.then(() => this.underWay.delete(done))
  }

  private tell(err: unknown, of: Readonly<Record<string, unknown>> = {}): void {
    const { id: group_id, events } = this.parts
    const message = `Group ${group_id} could not do what it had to.`
    events.emit({ type: 'notice', level: 'error', event: 'group', message, fields: { err, group_id, ...of } })
  }
}
