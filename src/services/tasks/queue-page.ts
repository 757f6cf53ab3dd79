import type { components } from '../../../generated/api.ts'
import { DomainError } from '../../domain/errors.ts'
import { defaultPage } from '../../domain/page.ts'
import { controls, ownersListed, type Principal } from '../../domain/principal.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from './live-task.ts'
import { progressOf } from './progress.ts'

/** One page of a pool's queue. */
export type QueuePage = components['schemas']['QueuePage']
type QueueEntry = QueuePage['entries'][number]

/** Which part of a queue to list. */
export interface QueueQuery {
  /** Only tasks of this key. */
  readonly owner?: string | undefined
  /** Only tasks of this session. */
  readonly session_id?: string | undefined
  readonly limit?: number | undefined
  /** How many of the entries that fit to leave out; not beside `cursor`. */
  readonly offset?: number | undefined
  /** The same, of the page before. */
  readonly cursor?: string | undefined
}

/**
 * Who runs in a pool, then who waits, in dispatch order. A key sees its own tasks and the others as bare places; one with the role `control`
 * sees all, and whose they are. With a filter only tasks that fit are there, and of others than its own a key sees none.
 * @param now milliseconds since the epoch
 * @throws DomainError invalid_params for both `offset` and `cursor`, forbidden for another's tasks
 */
export function queuePage(pool: Pool<LiveTask>, principal: Principal, query: QueueQuery, now: number): QueuePage {
  const { owner, session_id, limit = defaultPage, offset, cursor } = query
  if (offset !== undefined && cursor !== undefined)
    throw new DomainError('invalid_params', 'query.offset: cannot be beside cursor; leave one of them out')
  const isFiltered = owner !== undefined || session_id !== undefined
  const own = isFiltered ? ownersListed(principal, owner) : undefined
  const fits = (task: LiveTask): boolean =>
    (own === undefined || task.owner === own) && (session_id === undefined || task.head.session_id === session_id)
  const from = offset ?? Number(cursor ?? 0)
  const entries: QueueEntry[] = []
  let index = 0
  let more = false
  for (const task of tasksOf(pool)) {
    if (!fits(task)) continue
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
