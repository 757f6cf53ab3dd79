import type { components } from '../../../generated/api.ts'
import { defaultPage } from '../../domain/page.ts'
import { controls, type Principal } from '../../domain/principal.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from './live-task.ts'
import { progressOf } from './progress.ts'

/** One page of a pool's queue. */
export type QueuePage = components['schemas']['QueuePage']
type QueueEntry = QueuePage['entries'][number]

/** Which part of a queue to list. */
export interface QueueQuery {
  readonly limit?: number | undefined
  /** How many entries come before. */
  readonly cursor?: string | undefined
}

/**
 * Who runs in a pool, then who waits, in dispatch order. A key sees its own tasks and the others as bare places; one with the role `control`
 * sees all, and whose they are.
 * @param now milliseconds since the epoch
 */
export function queuePage(
  pool: Pool<LiveTask>,
  principal: Principal,
  { limit = defaultPage, cursor = '0' }: QueueQuery,
  now: number,
): QueuePage {
  const from = Number(cursor)
  const entries: QueueEntry[] = []
  let index = 0
  let more = false
  for (const task of tasksOf(pool)) {
    if (index >= from + limit) {
      more = true
      break
    }
    if (index++ >= from) entries.push(entryOf(task, principal, now))
  }
  return { pool_id: pool.id, slots: pool.slots, entries, ...(more ? { next_cursor: String(from + limit) } : {}) }
}

function* tasksOf({ running, scheduler }: Pool<LiveTask>): Generator<LiveTask> {
  yield* running
  yield* scheduler.inOrder()
}

function entryOf(task: LiveTask, principal: Principal, now: number): QueueEntry {
  const { queue_position, predicted_start_ms, on_time_probability, waits } = progressOf(task, now)
  const { task_id, session_id } = task.head
  const queued = task.started_at === undefined
  const place = {
    state: queued ? ('queued' as const) : ('running' as const),
    priority: task.priority,
    age_ms: Math.max(0, Math.round(now - task.accepted_on)),
    ...(queued ? { queue_position, predicted_start_ms, on_time_probability } : {}),
  }
  if (!controls(principal) && principal.name !== task.owner) return place
  return {
    ...place,
    on_time_probability,
    ...(waits === undefined ? {} : { waits }),
    deadline_in_ms: Math.round(task.deadline_at - now),
    task_id,
    session_id,
    ...(controls(principal) ? { owner: task.owner } : {}),
    ...(task.replica_id === undefined ? {} : { replica_id: task.replica_id }),
  }
}
