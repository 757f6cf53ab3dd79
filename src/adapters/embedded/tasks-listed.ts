import type { TaskFilter, TaskSlice } from '../../ports/journal.ts'
import type { StorageClient } from './client.ts'
import type { Param } from './protocol.ts'
import { listedTask } from './rows.ts'
import { S, taskListStatement } from './statements.ts'
import { idsFrom, LOOKED_AT, taskList } from './task-lists.ts'

/** Tasks that fit, newest first. @see Journal.list */
export async function tasksListed(
  client: StorageClient,
  { among, before_seq, from, to, limit, ...filter }: TaskFilter,
): Promise<TaskSlice> {
  const one = async (statement: number, params: readonly Param[]): Promise<number | undefined> => {
    const [found] = (await client.all(statement, params)).map(([value]) => value)
    return found == null ? undefined : Number(found)
  }
  const firstFrom = async (at: number | undefined): Promise<number | undefined> =>
    at === undefined ? undefined : ((await one(S.firstAccepted, [at])) ?? Number.MAX_SAFE_INTEGER)
  const [first = 0, end = Number.MAX_SAFE_INTEGER] = await Promise.all([firstFrom(from), firstFrom(to)])
  const range = [first, Math.min(end, before_seq ?? Number.MAX_SAFE_INTEGER)]
  if (among !== undefined) {
    const keys = JSON.stringify(among.map((key) => [key.task_id, key.owner]))
    return { tasks: (await client.all(S.listAmong, [keys, ...range, limit])).map(listedTask) }
  }
  const { task_id_prefix } = filter
  const few = task_id_prefix !== undefined && ((await one(S.idsLike, idsFrom(task_id_prefix))) ?? 0) <= LOOKED_AT
  const list = taskList(filter, few)
  const tasks = (await client.all(taskListStatement(list.page), [...list.pageParams, ...range, limit])).map(listedTask)
  if (tasks.length >= limit || list.end === undefined) return { tasks }
  const looked_to = await one(taskListStatement(list.end), [...list.endParams, ...range])
  return { tasks, ...(looked_to === undefined ? {} : { looked_to }) }
}
