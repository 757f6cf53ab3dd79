import { summaryOf, taskKeyOf, type ListedTask, type TaskRecord } from '../../src/domain/task.ts'
import type { TaskFilter } from '../../src/ports/journal.ts'

/** One page of the tasks that fit, newest first. */
export function listOf(records: readonly TaskRecord[], { before_seq = Infinity, limit, among, ...filter }: TaskFilter): ListedTask[] {
  const keys = among && new Set(among.map((key) => taskKeyOf(key.owner, key.task_id)))
  const { owner, session_id, ended } = keys === undefined ? filter : { owner: undefined, session_id: undefined, ended: 'unfinished' }
  return records
    .filter(({ task }) => keys?.has(taskKeyOf(task.owner, task.task_id)) !== false)
    .filter(({ task, seq }) => (owner === undefined || task.owner === owner) && seq < before_seq)
    .filter(({ task }) => session_id === undefined || task.request.session_id === session_id)
    .filter(({ outcome }) => ended === undefined || (outcome?.state ?? 'unfinished') === ended)
    .toReversed()
    .slice(0, limit)
    .map(listed)
}

/** A record as a list has it: without its request. */
export const listed = (record: TaskRecord): ListedTask => ({ ...record, task: summaryOf(record.task) })
