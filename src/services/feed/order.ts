import { ownPlaces, type Placed } from '../../domain/feed/own-places.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { TaskRow } from './task-row.ts'

/** The beginning of a pool's queue as a viewer sees it. */
export interface Beginning {
  /** Those that are shown. */
  readonly rows: readonly TaskRow[]
  /** Their tasks, and what each may take on the wire, where all are shown: a queue that moves on is gone through without a look at the rows. */
  readonly tasks: readonly LiveTask[]
  readonly sizes: readonly number[]
  /** Handles and gaps, as in the contract. */
  readonly first: readonly number[]
  readonly total: number
  /** How many come after them. */
  readonly behind: number
  /** Rows that were not among those before, and those that are not any more; one that has changed its place may be in both. */
  readonly came: readonly TaskRow[]
  readonly left: readonly TaskRow[]
}

/** Before anybody has looked. */
export const nobody: Beginning = { rows: [], tasks: [], sizes: [], first: [], total: 0, behind: 0, came: [], left: [] }

/** How many rows, and what they may take on the wire, bytes. */
export interface Most {
  readonly rows: number
  readonly bytes: number
}

/** Gives a task its row. */
type RowOf = (task: LiveTask) => TaskRow

/**
 * Who is next in a pool: its first tasks, whoever's they are.
 * @param before what there was, of which most is there still, in the same order
 */
export function beginningOfAll(pool: Pool<LiveTask>, most: Most, rowOf: RowOf, before: Beginning): Beginning {
  const rows: TaskRow[] = []
  const tasks: LiveTask[] = []
  const sizes: number[] = []
  const first: number[] = []
  const came: TaskRow[] = []
  const left: TaskRow[] = []
  let room = most.bytes
  let at = 0
  if (most.rows > 0)
    for (const task of pool.scheduler.inOrder()) {
      let next = at
      while (next < before.tasks.length && before.tasks[next] !== task) next++
      const known = before.rows[next]
      const row = known ?? rowOf(task)
      const size = before.sizes[next] ?? row.bytes
      room -= size
      if (room < 0) break
      rows.push(row)
      tasks.push(task)
      sizes.push(size)
      first.push(before.first[next] ?? row.h)
      if (known === undefined) came.push(row)
      else {
        left.push(...before.rows.slice(at, next))
        at = next + 1
      }
      if (rows.length === most.rows) break
    }
  left.push(...before.rows.slice(at))
  const total = pool.scheduler.depth()
  return { rows, tasks, sizes, first, total, behind: Math.max(0, total - rows.length), came, left }
}

/** The same for a key, which sees its own and how many others are before each. @param own those of its tasks that may be listed */
export function beginningOfOwn(pool: Pool<LiveTask>, most: Most, own: readonly LiveTask[], rowOf: RowOf, before: Beginning): Beginning {
  const placed = own.flatMap((task) => {
    const ahead = pool.scheduler.ahead(task)
    return ahead === undefined ? [] : [{ task, place: ahead.position }]
  })
  placed.sort((a, b) => a.place - b.place)
  const total = pool.scheduler.depth()
  const { shown, first, behind } = ownPlaces(within(placed.slice(0, most.rows), most.bytes, rowOf), total, ({ h }) => h)
  return { ...nobody, rows: shown, first, total, behind, came: shown, left: before.rows }
}

/** The first of each class in each of these pools, of a key's tasks. O(tasks): they come about in order, so that most are looked at and left. */
export function firstOfOwn(
  tasks: Iterable<LiveTask>,
  pools: ReadonlySet<Pool<LiveTask>>,
  most: number,
): ReadonlyMap<Pool<LiveTask>, LiveTask[]> {
  const firsts = { interactive: new Map<Pool<LiveTask>, LiveTask[]>(), batch: new Map<Pool<LiveTask>, LiveTask[]>() }
  for (const task of tasks) {
    const { pool, phase, ticket } = task
    if (phase !== 'queued' || !pools.has(pool) || most === 0) continue
    const of = firsts[task.priority]
    let first = of.get(pool)
    if (first === undefined) of.set(pool, (first = []))
    const last = first.at(-1)
    if (first.length === most && last !== undefined && last.ticket < ticket) continue
    first.splice(last === undefined || last.ticket < ticket ? first.length : first.findIndex((one) => one.ticket > ticket), 0, task)
    if (first.length > most) first.pop()
  }
  return new Map(Array.from(pools, (pool) => [pool, [...(firsts.interactive.get(pool) ?? []), ...(firsts.batch.get(pool) ?? [])]] as const))
}

/** The first of them, as far as there is room. */
function within(placed: readonly Placed<LiveTask>[], bytes: number, rowOf: RowOf): readonly Placed<TaskRow>[] {
  let left = bytes
  const rows = placed.map(({ task, place }) => ({ task: rowOf(task), place }))
  const end = rows.findIndex(({ task }) => (left -= task.bytes) < 0)
  return end < 0 ? rows : rows.slice(0, end)
}
