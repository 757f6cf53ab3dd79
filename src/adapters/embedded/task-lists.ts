import type { TaskFilter } from '../../ports/journal.ts'
import type { Param } from './protocol.ts'

/** How many tasks one page looks at, at most. */
export const LOOKED_AT = 2000

/** Filters of tasks, but for the page. */
type Filter = Omit<TaskFilter, 'among' | 'limit' | 'before_seq' | 'from' | 'to'>

/** Ways to go through tasks: each is an index, with and without the owner in it. */
const ways = ['all', 'session', 'pool', 'code', 'ended', 'unfinished', 'id'] as const
type Way = (typeof ways)[number]

/** By the way, the index without and with the owner; undefined is the table itself. */
const indexes: Readonly<Record<Way, readonly [all: string | undefined, own: string]>> = {
  all: [undefined, 'tasks_owner'],
  session: ['tasks_session', 'tasks_session'],
  pool: ['tasks_pool', 'tasks_owner_pool'],
  code: ['tasks_code', 'tasks_owner_code'],
  ended: ['tasks_ended', 'tasks_owner_ended'],
  unfinished: ['tasks_unfinished', 'tasks_owner_unfinished'],
  id: ['tasks_key', 'tasks_key'],
}

const conditions: Readonly<Record<Way, string>> = {
  all: '',
  session: 'session_id = ? AND',
  pool: 'pool_id = ? AND',
  code: 'code = ? AND',
  ended: 'ended = ? AND',
  unfinished: 'ended IS NULL AND',
  id: 'task_id >= ? AND task_id < ? AND',
}

/** What the way does not see to. A parameter that is null lets everything through. */
const fits = `session_id = coalesce(?, session_id) AND pool_id = coalesce(?, pool_id) AND code IS coalesce(?, code)
  AND coalesce(ended, 'unfinished') = coalesce(?, ended, 'unfinished') AND task_id >= coalesce(?, '') AND task_id < coalesce(?, '~')`

// The index is named: without statistics the planner would rather walk the table than sort a few rows.
// The limits are part of the text: what is looked at is bounded, and only what is shown is read.
function walk(way: Way, own: boolean, columns: string): string {
  const index = indexes[way][own ? 1 : 0]
  return `SELECT ${columns} FROM tasks ${index === undefined ? 'NOT INDEXED' : `INDEXED BY ${index}`}
    WHERE ${own ? 'owner = ? AND' : ''} ${conditions[way]} seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ${LOOKED_AT}`
}

const both = ways.flatMap((way) => [false, true].map((own) => [way, own] as const))

/** Pages of each way: parameters of what fits, those of the way, `from_seq`, `before_seq`, `limit`. */
const pages = both.map(
  ([
    way,
    own,
  ]) => `SELECT seq, shown, outcome, tasks.pool_id FROM (${walk(way, own, `seq AS at, ${fits} AS fit`)}) CROSS JOIN tasks ON seq = at
    WHERE fit LIMIT ?`,
)

/** The last of the tasks that a page looks at, where there are as many as it may: the parameters of the way, `from_seq`, `before_seq`. */
const ends = both.map(([way, own]) => `SELECT min(seq) FROM (${walk(way, own, 'seq')}) HAVING count(*) = ${LOOKED_AT}`)

/** Statements of lists of tasks. */
export const TASK_LISTS: readonly string[] = [...pages, ...ends]

/** A list of tasks as the statements that make it. Indices are those within `TASK_LISTS`. */
export interface TaskList {
  readonly page: number
  readonly pageParams: readonly Param[]
  /** Undefined where nothing is looked at that does not fit. */
  readonly end: number | undefined
  readonly endParams: readonly Param[]
}

/** Ids that begin with a text come from it on, and before this. */
export const idsFrom = (prefix: string): readonly [first: string, after: string] => [prefix, `${prefix}~`]

/** @param few few ids begin as they are to begin, so that they are put in order */
export function taskList(filter: Filter, few: boolean): TaskList {
  const { owner, session_id = null, pool_id = null, code = null, ended = null, task_id_prefix } = filter
  const [first, after] = task_id_prefix === undefined ? [null, null] : idsFrom(task_id_prefix)
  const way: Way = few
    ? 'id'
    : session_id !== null
      ? 'session'
      : code !== null
        ? 'code'
        : ended === 'unfinished'
          ? 'unfinished'
          : pool_id !== null
            ? 'pool'
            : ended !== null
              ? 'ended'
              : 'all'
  const byWay: Readonly<Record<Way, readonly Param[]>> = {
    ...{ all: [], session: [session_id], pool: [pool_id], code: [code], ended: [ended], unfinished: [], id: [first, after] },
  }
  const index = both.findIndex(([one, own]) => one === way && own === (owner !== undefined))
  const fixed = [...(owner === undefined ? [] : [owner]), ...byWay[way]]
  const others = [session_id, pool_id, code, ended, task_id_prefix ?? null].filter((given) => given !== null).length
  return {
    page: index,
    pageParams: [session_id, pool_id, code, ended, first, after, ...fixed],
    end: others > (way === 'all' ? 0 : 1) ? pages.length + index : undefined,
    endParams: fixed,
  }
}
