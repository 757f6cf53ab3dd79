import { DomainError } from '../../domain/errors.ts'
import { wallNow, type CancelTimer, type Clock } from '../../ports/clock.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { PoolRecords } from '../pools/pool-records.ts'
import type { Pool } from '../pools/pool.ts'
import { movesFrom } from '../tasks/other-pool.ts'
import { endAll, leaveOtherModel, mayMove, moveAll, servesNoMore, type MovingParts } from './moves.ts'
import { foresee, type PoolForesight } from './foresight.ts'

/** A drain whose pool is not empty yet. */
interface UnderWay {
  /** Milliseconds since the epoch. */
  readonly deadline_at: number
  readonly cancel: CancelTimer
}

/** What drains work with. */
export interface DrainParts extends MovingParts {
  readonly records: PoolRecords
  readonly clock: Clock
}

/** Lets pools run empty and take work again. */
export class Drain {
  private readonly parts: DrainParts
  private readonly underWay = new Map<Pool<LiveTask>, UnderWay>()
  /** How to give up each pool that is looked after. */
  private readonly watches = new Set<CancelTimer>()

  constructor(parts: DrainParts) {
    this.parts = parts
    parts.pools.onOtherModel = (pool) => leaveOtherModel(pool, { ...parts, now: parts.clock.now() })
    parts.pools.onDown = (pool) => this.whenDown(pool)
  }

  /**
   * Drains a pool because an operator says so: also after a restart, until it is resumed.
   * @throws DomainError not_found
   * @throws StorageError the pool drains, but a restart would not know of it
   */
  async order(pool_id: string, deadline_ms: number): Promise<Pool<LiveTask>> {
    const pool = this.drain(pool_id, deadline_ms)
    // By the machine's clock, which the next start begins with.
    await this.parts.records.setDraining(pool_id, wallNow(this.parts.clock) + deadline_ms)
    return pool
  }

  /** What `order` would do now. @throws DomainError not_found */
  foresee(pool_id: string, deadline_ms: number): PoolForesight {
    return foresee(this.parts, this.parts.pools.get(pool_id), { moves: true, deadline_ms })
  }

  /**
   * Ends an operator's drain.
   * @throws DomainError not_found
   * @throws StorageError the pool takes tasks, but would drain after a restart
   */
  async revoke(pool_id: string): Promise<Pool<LiveTask>> {
    const pool = this.resume(pool_id)
    await this.parts.records.setDraining(pool_id, undefined)
    return pool
  }

  /** Looks after no pool any more: the daemon has stopped. Drains go on with the next start. */
  stop(): void {
    for (const cancel of this.watches) cancel()
  }

  /** Drains again what drained before the restart. */
  restore(): void {
    for (const { pool_id, until } of this.parts.records.draining()) this.drain(pool_id, Math.max(0, until - wallNow(this.parts.clock)))
  }

  /**
   * Stops admission to the pool at once. Running tasks finish; queued ones move to a pool that serves what they name and has room, or are
   * worked off here. What is left after `deadline_ms` ends with POOL_UNREADY. Draining again sets the deadline anew.
   * @throws DomainError not_found
   */
  drain(pool_id: string, deadline_ms: number): Pool<LiveTask> {
    const pool = this.parts.pools.get(pool_id)
    pool.draining = true
    const moved = this.moveQueued(pool)
    this.parts.events.emit({ type: 'pool_draining', pool_id, deadline_ms, moved, left: pool.scheduler.depth() })
    this.forget(pool)
    this.watch(pool, deadline_ms)
    return pool
  }

  /** @throws DomainError not_found; conflict where its model may not be served, which only the catalog or a reload can change */
  resume(pool_id: string): Pool<LiveTask> {
    const pool = this.parts.pools.get(pool_id)
    if (pool.refusal !== undefined) throw new DomainError('conflict', `Pool ${pool_id} cannot take tasks: ${pool.refusal}`, { pool_id })
    this.forget(pool)
    pool.draining = false
    this.parts.events.emit({ type: 'pool_resumed', pool_id })
    return pool
  }

  /**
   * What becomes of a reloaded pool's tasks: those waiting go to the successor if it serves what they name, else to another pool that does,
   * else they are worked off by the old engines until the deadline. Running ones finish.
   */
  handOver(old: Pool<LiveTask>, successor: Pool<LiveTask>, deadline_ms: number): void {
    const drain = this.forget(old)
    if (drain !== undefined) this.watch(successor, drain.deadline_at - this.parts.clock.now())
    // The same model again: nothing of a task has to be judged anew, and none of them loses its place.
    if (old.config.model === successor.config.model)
      moveAll(
        [...old.scheduler.tasks()].map((task) => [task, successor] as const),
        old,
        this.parts,
      )
    else this.moveQueued(old)
    const cancelCheck = this.parts.clock.every(idleCheck_ms, () => {
      if (!old.idle) return
      cancel()
      this.parts.pools.stopIdle().catch((err: unknown) => {
        this.parts.events.emit({
          type: 'notice',
          level: 'error',
          event: 'reload',
          message: `The old engines of pool ${old.id} did not stop.`,
          fields: { err, pool_id: old.id },
        })
      })
    })
    const cancelDeadline = this.parts.clock.after(deadline_ms, () => {
      const { model } = old.config
      endAll(old, [...old.scheduler.tasks()], () => servesNoMore(old, model), this.parts)
    })
    const cancel = this.watching(old, deadline_ms, cancelCheck, cancelDeadline)
  }

  /** Moves what waits to other pools that serve what it names and that its placement allows; returns how many. */
  moveQueued(pool: Pool<LiveTask>): number {
    return moveAll(movesFrom(pool, this.parts.pools, this.parts.clock.now()), pool, this.parts)
  }

  /** The engines of a pool are all down: what waits goes where a newcomer would go, behind what ran there and has failed, which waits again by then. */
  private whenDown(pool: Pool<LiveTask>): void {
    const cancel = this.parts.clock.after(idleCheck_ms, () => {
      this.watches.delete(cancel)
      if (pool.ready || pool.running.size > 0 || !mayMove(pool, this.parts)) return
      const moved = this.moveQueued(pool)
      if (moved === 0) return
      const message = `Pool ${pool.id} is down; ${moved} of its waiting tasks went to other pools.`
      const fields = { pool_id: pool.id, moved, left: pool.scheduler.depth() }
      this.parts.events.emit({ type: 'notice', level: 'warn', event: 'failover', message, fields })
    })
    this.watches.add(cancel)
  }

  /**
   * Works off what the pool has and ends what is left at the deadline with POOL_UNREADY.
   * @param onDone called once, when the pool is empty or the deadline has passed
   * @returns how to give up, without `onDone`
   */
  empty(pool: Pool<LiveTask>, deadline_ms: number, onDone: () => void): CancelTimer {
    const done = (): void => {
      cancel()
      onDone()
    }
    const cancelCheck = this.parts.clock.every(idleCheck_ms, () => {
      if (pool.idle) done()
    })
    const cancelDeadline = this.parts.clock.after(deadline_ms, () => {
      const drained = (): DomainError =>
        new DomainError('pool_unready', `Pool ${pool.id} was drained before the task ended; send it again.`)
      endAll(pool, [...pool.scheduler.tasks(), ...pool.running], drained, this.parts)
      done()
    })
    const cancel = this.watching(pool, deadline_ms, cancelCheck, cancelDeadline)
    return cancel
  }

  private watching(pool: Pool<LiveTask>, deadline_ms: number, ...timers: readonly CancelTimer[]): CancelTimer {
    pool.ends_at = this.parts.clock.now() + deadline_ms
    const cancel = (): void => {
      pool.ends_at = undefined
      this.watches.delete(cancel)
      for (const timer of timers) timer()
    }
    this.watches.add(cancel)
    return cancel
  }

  /** Looks after a draining pool. */
  private watch(pool: Pool<LiveTask>, deadline_ms: number): void {
    const cancel = this.empty(pool, deadline_ms, () => this.underWay.delete(pool))
    this.underWay.set(pool, { deadline_at: this.parts.clock.now() + deadline_ms, cancel })
  }

  /** Ends the watch; returns what it was. */
  private forget(pool: Pool<LiveTask>): UnderWay | undefined {
    const found = this.underWay.get(pool)
    found?.cancel()
    this.underWay.delete(pool)
    return found
  }
}

/** How often a drained or reloaded pool is looked at to see whether it has become empty, ms. */
const idleCheck_ms = 100
