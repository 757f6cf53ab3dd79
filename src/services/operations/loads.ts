import { DomainError } from '../../domain/errors.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { isAwake } from '../../domain/groups/member.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { Seat } from '../pools/seat.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { Drain } from './drain.ts'
import { foresee, type Change, type PoolForesight } from './foresight.ts'
import { Room } from './room.ts'

/** What loads and unloads work with. */
export interface LoadsParts {
  readonly pools: Pools<LiveTask>
  readonly drain: Drain
  readonly clock: Clock
  readonly events: EventSink
}

/** Loads and unloads models because an operator says so: by their group, or where their engine does it while it runs. */
export class Loads {
  private readonly parts: LoadsParts
  /** Pools outside of groups that were unloaded, or are being. */
  private readonly emptied = new Map<
    Pool<LiveTask>,
    { readonly room: Room; readonly limit: AbortController; readonly done: Promise<void> }
  >()

  constructor(parts: LoadsParts) {
    this.parts = parts
  }

  /** @throws DomainError not_found; conflict where nobody loads it, or its model may not be served */
  load(pool_id: string): Pool<LiveTask> {
    const { pool, seat } = this.loadable(pool_id)
    this.checkServable(pool)
    if (seat === undefined) this.giveBack(pool)
    else seat.want()
    return pool
  }

  /** What `load` would do. @throws the same */
  foreseeLoad(pool_id: string): PoolForesight {
    const { pool, seat } = this.loadable(pool_id)
    this.checkServable(pool)
    const foreseen = seat?.foresee('want')
    if (foreseen?.leaves === undefined) return nothing
    const loadedIn = comingBack(foreseen.loadedIn)
    return foresee(this.parts, this.parts.pools.get(foreseen.leaves), { moves: false, deadline_ms: Infinity, loadedIn })
  }

  /** @throws DomainError not_found; conflict where nobody loads it, or its group pins it */
  unload(pool_id: string): Pool<LiveTask> {
    const { pool, seat } = this.unloadable(pool_id)
    if (seat === undefined) this.makeRoom(pool)
    else if (isAwake(seat)) {
      this.parts.drain.moveQueued(pool)
      seat.sendAway()
    }
    return pool
  }

  /** What `unload` would do. @throws the same */
  foreseeUnload(pool_id: string): PoolForesight {
    const { pool, seat } = this.unloadable(pool_id)
    if (seat === undefined ? this.emptied.has(pool) : !isAwake(seat)) return nothing
    const loadedIn = seat === undefined ? {} : { loadedIn: comingBack(seat.foresee('sendAway').loadedIn) }
    return foresee(this.parts, pool, { moves: true, deadline_ms: Infinity, ...loadedIn })
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    const all = [...this.emptied.values()]
    for (const { limit } of all) limit.abort(new Error('the daemon is stopping'))
    await Promise.all(all.map(({ done }) => done))
  }

  private loadable(pool_id: string): { readonly pool: Pool<LiveTask>; readonly seat: Seat | undefined } {
    const pool = this.parts.pools.get(pool_id)
    const { seat, props, config } = pool
    if (seat === undefined && props?.loads !== true)
      throw new DomainError(
        'conflict',
        `Pool ${pool_id} is in no group, and its ${config.engine} loads no models by itself: put it in a group of the configuration.`,
        { pool_id },
      )
    return { pool, seat }
  }

  private unloadable(pool_id: string): ReturnType<Loads['loadable']> {
    const found = this.loadable(pool_id)
    if (found.seat?.pinned === true)
      throw new DomainError('conflict', `Pool ${pool_id} is always loaded: take it out of \`pin\` of its group first.`, { pool_id })
    return found
  }

  private checkServable(pool: Pool<LiveTask>): void {
    if (pool.refusal !== undefined && !this.emptied.has(pool))
      throw new DomainError('conflict', `Pool ${pool.id} cannot be loaded: ${pool.refusal}`, { pool_id: pool.id })
  }

  private makeRoom(pool: Pool<LiveTask>): void {
    if (this.emptied.has(pool)) return
    const room = new Room(pool, `Pool ${pool.id} is unloaded until it is loaded again.`, this.parts)
    const limit = new AbortController()
    const done = room.make(limit.signal).catch((cause: unknown) => this.failed(pool, cause, limit.signal))
    this.emptied.set(pool, { room, limit, done })
  }

  private giveBack(pool: Pool<LiveTask>): void {
    const emptied = this.emptied.get(pool)
    if (emptied === undefined) return
    this.emptied.delete(pool)
    emptied.limit.abort(new Error('it is loaded again'))
    void emptied.done.then(() => emptied.room.giveBack()).catch((cause: unknown) => this.failed(pool, cause))
  }

  private failed(pool: Pool<LiveTask>, err: unknown, signal?: AbortSignal): void {
    if (signal?.aborted === true) return
    const fields = { err, pool_id: pool.id, model_ref: pool.config.model }
    this.parts.events.emit({ type: 'notice', level: 'error', event: 'group', message: `Pool ${pool.id} could not be unloaded.`, fields })
  }
}

const comingBack =
  (loadedIn: ReturnType<Seat['foresee']>['loadedIn']): NonNullable<Change['loadedIn']> =>
  ({ priority, deadline_at }) =>
    loadedIn({ interactive: priority === 'interactive', deadline_at })

const nothing: PoolForesight = { pools: [], running: 0, waiting: 0, movable: 0, moves_to: [], late: 0 }
