import { Board } from '../../domain/feed/board.ts'
import type { Wish } from '../../domain/feed/wish.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { beginningOfAll, beginningOfOwn, type Beginning } from './order.ts'
import type { Overview } from './overview.ts'
import { shifted } from './shifted.ts'
import type { TaskRow } from './task-row.ts'
import { wireMs, type FeedOrder, type Told } from './wire.ts'

/** Tasks at the beginning of a queue whose reasons change as it moves. */
const next = 2
/** The keys that have most of what is not listed. */
const most_keys = 5

/** Who waits, as viewers of one kind see it. */
export class Queues {
  private readonly owner: string | undefined
  private readonly wish: Wish
  private readonly overview: Overview
  readonly orders = new Board<Told<FeedOrder>>()
  private readonly lastStarts = new Map<string, number>()
  private readonly restKeys = new Map<string, { readonly key_name: string; readonly count: number }[]>()
  /** Tasks that the wish names. */
  private wished: readonly LiveTask[] = []
  /** Pools whose order is told: those of the wish, and where a task has waited that it names. */
  private readonly ordered: Set<string>

  constructor(owner: string | undefined, wish: Wish, overview: Overview) {
    ;[this.owner, this.wish, this.overview] = [owner, wish, overview]
    this.ordered = new Set(wish.pools)
  }

  /** Looks who waits. Returns the rows that are shown. @param bytes what they may take on the wire */
  look(now: number, tick: number, { slowly, bytes }: { readonly slowly: boolean; readonly bytes: number }): Set<TaskRow> {
    const { wish, overview } = this
    if (slowly) this.wished = wish.tasks.flatMap((id) => overview.named(id, this.owner))
    const shown = new Set<TaskRow>()
    const own = this.owner === undefined ? undefined : byPool(overview.live.all(this.owner))
    const rowOf = (task: LiveTask): TaskRow => overview.rows.of(task, now, tick)
    const outside = this.wished.filter(({ phase }) => phase === 'queued')
    for (const { pool } of outside) this.ordered.add(pool.id)
    for (const id of this.ordered) {
      const pool = overview.pool(id)
      if (pool === undefined) continue
      const most = { rows: wish.pools.includes(id) ? wish.rows : 0, bytes: bytes / this.ordered.size }
      const beginning = own === undefined ? beginningOfAll(pool, most, rowOf) : beginningOfOwn(pool, most, own.get(pool) ?? [], rowOf)
      for (const row of beginning.rows.slice(0, next)) overview.rows.reason(row, now, tick)
      for (const row of beginning.rows) shown.add(row)
      const places = outside
        .filter((task) => task.pool === pool)
        .map(rowOf)
        .filter((row) => !shown.has(row))
      for (const row of places) shown.add(row)
      if (slowly) this.lookBehind(pool, beginning, now)
      this.putOrder(pool, beginning, places, tick)
    }
    return shown
  }

  /** Whose those are that are not listed, and when the last of them starts. */
  private lookBehind(pool: Pool<LiveTask>, { rows, behind }: Beginning, now: number): void {
    const all = this.overview.tally.waiting.get(pool.id) ?? []
    const counts = new Map(Array.from(all, ([name, { count }]) => [name, count] as const))
    for (const { task } of rows) counts.set(task.owner, (counts.get(task.owner) ?? 1) - 1)
    const keys = Array.from(counts, ([key_name, count]) => ({ key_name, count })).filter(
      ({ key_name, count }) => count > 0 && (this.owner === undefined || key_name === this.owner),
    )
    this.restKeys.set(pool.id, keys.sort((a, b) => b.count - a.count).slice(0, most_keys))
    if (behind === 0) return
    const last = this.overview.rows.lastStart(pool, now)
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

/** A key's tasks that wait, by their pool. */
function byPool(tasks: Iterable<LiveTask>): ReadonlyMap<Pool<LiveTask>, LiveTask[]> {
  const pools = new Map<Pool<LiveTask>, LiveTask[]>()
  for (const task of tasks) {
    if (task.phase !== 'queued') continue
    const known = pools.get(task.pool)
    if (known === undefined) pools.set(task.pool, [task])
    else known.push(task)
  }
  return pools
}
