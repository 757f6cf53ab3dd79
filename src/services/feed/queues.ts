import { Board } from '../../domain/feed/board.ts'
import type { Wish } from '../../domain/feed/wish.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { beginningOfAll, beginningOfOwn, firstOfOwn, nobody, type Beginning } from './order.ts'
import type { Overview } from './overview.ts'
import { shifted } from './shifted.ts'
import type { TaskRow } from './task-row.ts'
import { wireMs, type FeedOrder, type Told } from './wire.ts'

/** Tasks at the beginning of a queue whose reasons change as it moves. */
const next = 2
/** The keys that have most of what is not listed. */
const most_keys = 5

/** How far is looked. */
interface LookingAtQueues {
  /** Looks up the tasks that are wished for. */
  readonly slowly: boolean
  /** Whether it is the turn of a pool. */
  readonly due: (pool_id: string) => boolean
  /** What rows may take on the wire. */
  readonly bytes: number
}

/** A queue as it was looked at. */
interface Seen {
  readonly pool: Pool<LiveTask>
  /** Of its scheduler: as long as it is the same, so are these. */
  readonly changes: number
  readonly beginning: Beginning
  /** Tasks beyond it that are wished for. */
  readonly places: readonly TaskRow[]
}

const nothing: Pick<Seen, 'beginning' | 'places'> = { beginning: nobody, places: [] }

/** The same, and what was seen before. */
interface Looked extends Pick<Seen, 'pool' | 'beginning' | 'places'> {
  readonly before: Beginning
}

/** What has changed in what is shown; who has left may have come again. */
interface Moved {
  readonly came: readonly TaskRow[]
  readonly left: readonly TaskRow[]
}

const nothing_moved: Moved = { came: [], left: [] }

/** Who waits, as viewers of one kind see it. */
export class Queues {
  private readonly owner: string | undefined
  private readonly wish: Wish
  private readonly overview: Overview
  readonly orders = new Board<Told<FeedOrder>>()
  /** The rows that are shown. */
  readonly shown = new Set<TaskRow>()
  private readonly lastStarts = new Map<string, number>()
  private readonly restKeys = new Map<string, { readonly key_name: string; readonly count: number }[]>()
  /** Tasks that the wish names. */
  private wished: readonly LiveTask[] = []
  /** What was seen of each pool when its queue was looked at last. */
  private readonly seen = new Map<string, Seen>()
  /** Pools whose order is told: those of the wish, and where a task has waited that it names. */
  private readonly ordered: Set<string>

  constructor(owner: string | undefined, wish: Wish, overview: Overview) {
    ;[this.owner, this.wish, this.overview] = [owner, wish, overview]
    this.ordered = new Set(wish.pools)
  }

  /** Looks who waits, in pools where others may than before. Returns rows that have come, and those that may not be shown any more. */
  look(now: number, tick: number, { due, slowly, bytes }: LookingAtQueues): Moved {
    const { wish, overview, shown, owner } = this
    if (slowly && wish.tasks.length > 0) this.wished = wish.tasks.flatMap((id) => overview.named(id, owner))
    const outside = this.wished.filter(({ phase }) => phase === 'queued')
    for (const { pool } of outside) this.ordered.add(pool.id)
    const anew = new Set<Pool<LiveTask>>()
    for (const id of this.ordered) {
      const pool = overview.pool(id)
      if (pool !== undefined && (due(id) || !this.isSame(pool) || outside.some((task) => task.pool === pool))) anew.add(pool)
    }
    if (anew.size === 0) return nothing_moved
    const rowOf = (task: LiveTask): TaskRow => overview.rows.of(task, now, tick)
    const own = owner === undefined ? undefined : firstOfOwn(overview.live.all(owner), anew, wish.rows)
    const looked: Looked[] = []
    for (const pool of anew) {
      const { id } = pool
      const most = { rows: wish.pools.includes(id) ? wish.rows : 0, bytes: bytes / this.ordered.size }
      const { beginning: before, places } = this.seen.get(id) ?? nothing
      const beginning =
        own === undefined ? beginningOfAll(pool, most, rowOf, before) : beginningOfOwn(pool, most, own.get(pool) ?? [], rowOf, before)
      looked.push({ pool, beginning, before, places })
    }
    const left = looked.flatMap(({ beginning, places }) => [...beginning.left, ...places])
    const came = looked.flatMap(({ beginning }) => beginning.came)
    // One that has moved to another pool has left the one and come to the other.
    for (const row of left) shown.delete(row)
    for (const row of came) shown.add(row)
    for (const { pool, beginning, before } of looked) {
      const { id, scheduler } = pool
      for (let place = 0; place < next; place++) {
        const row = beginning.rows[place]
        if (row !== undefined && row !== before.rows[place]) overview.rows.foresight.reason(row, now, tick)
      }
      const places = outside
        .filter((task) => task.pool === pool)
        .map(rowOf)
        .filter((row) => !shown.has(row))
      for (const row of places) shown.add(row)
      came.push(...places)
      if (due(id)) this.lookBehind(pool, beginning, now)
      this.putOrder(pool, beginning, places, tick)
      this.seen.set(id, { pool, changes: scheduler.changes, beginning, places })
    }
    return { came, left }
  }

  /** Whether a pool's queue is what it was when it was looked at last. */
  private isSame(pool: Pool<LiveTask>): boolean {
    const seen = this.seen.get(pool.id)
    return seen?.pool === pool && seen.changes === pool.scheduler.changes
  }

  /** Whose those are that are not listed, and when the last of them starts. */
  private lookBehind(pool: Pool<LiveTask>, { rows, behind }: Beginning, now: number): void {
    const counts = new Map(pool.scheduler.owners)
    for (const { task } of rows) counts.set(task.owner, (counts.get(task.owner) ?? 1) - 1)
    const keys = Array.from(counts, ([key_name, count]) => ({ key_name, count })).filter(
      ({ key_name, count }) => count > 0 && (this.owner === undefined || key_name === this.owner),
    )
    this.restKeys.set(pool.id, keys.sort((a, b) => b.count - a.count).slice(0, most_keys))
    if (behind === 0) return
    const last = this.overview.rows.foresight.lastStart(pool, now)
    if (shifted(this.lastStarts.get(pool.id), last, now)) this.lastStarts.set(pool.id, last)
  }

  private putOrder(pool: Pool<LiveTask>, { first, total, behind }: Beginning, outside: readonly TaskRow[], tick: number): void {
    const places = outside.flatMap(({ h, task }) => {
      const ahead = pool.scheduler.ahead(task)
      return ahead === undefined ? [] : [[h, ahead.position]]
    })
    const last = behind === 0 ? undefined : this.lastStarts.get(pool.id)
    const rest = behind === 0 ? undefined : { count: behind, keys: this.restKeys.get(pool.id) ?? [] }
    const order = { pool_id: pool.id, total, first: [...first], ...(places.length === 0 ? {} : { places }) }
    const tell = (now: number): FeedOrder => ({
      ...order,
      ...(rest === undefined ? {} : { rest: { ...rest, ...(last === undefined ? {} : { last_start_ms: wireMs(last - now) }) } }),
    })
    this.orders.put(pool.id, tell, JSON.stringify([order, rest, last]), tick)
  }
}
