import { ownPlaces, type Placed } from '../../domain/feed/own-places.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import { bytesOf } from './task-row.ts'

/** The beginning of a pool's queue as a viewer sees it. */
export interface Beginning {
  /** Those whose rows are shown. */
  readonly tasks: readonly LiveTask[]
  /** Handles and gaps, as in the contract. */
  readonly first: readonly number[]
  readonly total: number
  /** How many come after them. */
  readonly behind: number
}

/** How many rows, and what they may take on the wire, bytes. */
export interface Most {
  readonly rows: number
  readonly bytes: number
}

/** The first of them, as far as there is room. */
function within(placed: readonly Placed<LiveTask>[], bytes: number): readonly Placed<LiveTask>[] {
  let left = bytes
  const end = placed.findIndex(({ task }) => (left -= bytesOf(task)) < 0)
  return end < 0 ? placed : placed.slice(0, end)
}

/** Who is next in a pool: its first tasks, whoever's they are. */
export function beginningOfAll(pool: Pool<LiveTask>, { rows, bytes }: Most, handleOf: (task: LiveTask) => number): Beginning {
  const tasks: LiveTask[] = []
  let left = bytes
  if (rows > 0)
    for (const task of pool.scheduler.inOrder()) {
      left -= bytesOf(task)
      if (left < 0) break
      tasks.push(task)
      if (tasks.length === rows) break
    }
  const total = pool.scheduler.depth()
  return { tasks, first: tasks.map(handleOf), total, behind: Math.max(0, total - tasks.length) }
}

/** The same for a key, which sees its own and how many others are before each. */
export function beginningOfOwn(
  pool: Pool<LiveTask>,
  { rows, bytes }: Most,
  own: ReturnType<LiveTasks['all']>,
  handleOf: (task: LiveTask) => number,
): Beginning {
  const waiting = { interactive: [] as LiveTask[], batch: [] as LiveTask[] }
  for (const task of own) if (task.phase === 'queued' && task.pool === pool) waiting[task.priority].push(task)
  const next = [waiting.interactive, waiting.batch].flatMap((tasks) => tasks.sort((a, b) => a.ticket - b.ticket).slice(0, rows))
  const placed = next.flatMap((task) => {
    const ahead = pool.scheduler.ahead(task)
    return ahead === undefined ? [] : [{ task, place: ahead.position }]
  })
  placed.sort((a, b) => a.place - b.place)
  const total = pool.scheduler.depth()
  return { ...ownPlaces(within(placed.slice(0, rows), bytes), total, handleOf), total }
}
