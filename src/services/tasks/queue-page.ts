import type { components } from '../../../generated/api.ts'
import { DomainError } from '../../domain/errors.ts'
import { defaultPage } from '../../domain/page.ts'
import { controls, ownersListed, type Principal } from '../../domain/principal.ts'
import type { Waits } from '../../domain/queue/waits.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from './live-task.ts'
import { progressOf } from './progress.ts'
import { waitsNow } from './waiting.ts'

/** One page of a pool's queue. */
export type QueuePage = components['schemas']['QueuePage']
type QueueEntry = QueuePage['entries'][number]

/** Which part of a queue to list. */
export interface QueueQuery {
  /** Only tasks of this key. */
  readonly owner?: string | undefined
  /** Only tasks of this session. */
  readonly session_id?: string | undefined
  /** Only tasks that wait for this reason. */
  readonly waits?: Waits['code'] | undefined
  readonly limit?: number | undefined
  /** How many of the entries that fit to leave out; not beside `cursor`. */
  readonly offset?: number | undefined
  /** How many tasks come before, and how many of the entries that fit are still to be left out. */
  readonly cursor?: string | undefined
}

/** For how many tasks a page finds out why they wait, at most. */
const asked = 1000

/**
 * Who runs in a pool, then who waits, in dispatch order. A key sees its own tasks and the others as bare places; one with the role `control`
 * sees all, and whose they are. With a filter only tasks that fit are there, and of others than its own a key sees none.
 * @param find the pool, once it is known that the key may ask so
 * @param now milliseconds since the epoch
 * @throws DomainError invalid_params for both `offset` and `cursor`, forbidden for another's tasks
 */
export function queuePage(find: () => Pool<LiveTask>, principal: Principal, query: QueueQuery, now: number): QueuePage {
  const { session_id, waits, limit = defaultPage, offset, cursor = '0' } = query
  if (offset !== undefined && query.cursor !== undefined)
    throw new DomainError('invalid_params', 'query.offset: cannot be beside cursor; leave one of them out')
  const isFiltered = query.owner !== undefined || session_id !== undefined || waits !== undefined
  const owner = isFiltered ? ownersListed(principal, query.owner) : undefined
  const pool = find()
  const [from = 0, left = 0] = cursor.split('+').map(Number)
  let [skip, looks, index] = [offset ?? left, 0, -1]
  const entries: QueueEntry[] = []
  const page = { pool_id: pool.id, slots: pool.slots, entries }
  for (const task of tasksOf(pool)) {
    if (++index < from) continue
    if (owner !== undefined && task.owner !== owner) continue
    if (session_id !== undefined && task.head.session_id !== session_id) continue
    if (waits !== undefined) {
      if (looks++ === asked) return { ...page, next_cursor: `${index}+${skip}` }
      if (waitsNow(task, pool.scheduler.ahead(task), now)?.code !== waits) continue
    }
    if (skip > 0) {
      skip--
      continue
    }
    if (entries.length === limit) return { ...page, next_cursor: String(index) }
    entries.push(entryOf(task, principal, now))
  }
  return page
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
