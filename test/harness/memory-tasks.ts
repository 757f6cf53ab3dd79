import type { Run } from '../../src/domain/runs.ts'
import {
  headOf,
  summaryOf,
  taskKeyOf,
  type Attempts,
  type ListedTask,
  type TaskHead,
  type TaskKey,
  type TaskRecord,
} from '../../src/domain/task.ts'
import type { Fact, TaskFilter, TaskSlice } from '../../src/ports/journal.ts'

/** A record, and what else is kept of it. */
export interface KeptTask extends TaskRecord {
  /** Where it is, or was when it ended. */
  readonly pool_id: string
  /** No earlier than those before it. */
  readonly accepted_at: number
}

/** A task that comes after others. */
export const keep = (record: TaskRecord, before: KeptTask | undefined): KeptTask => ({
  ...record,
  pool_id: record.task.pool_id,
  accepted_at: Math.max(Math.floor(record.task.accepted_at), before?.accepted_at ?? 0),
})

/** One page of the tasks that fit, newest first. */
export function listOf(
  kept: readonly KeptTask[],
  { before_seq = Infinity, limit, among, from = 0, to = Infinity, ...filter }: TaskFilter,
): TaskSlice {
  const keys = among && new Set(among.map((key) => taskKeyOf(key.owner, key.task_id)))
  const asked: Partial<TaskFilter> = keys === undefined ? filter : { ended: 'unfinished' }
  const tasks = kept
    .filter(({ task }) => keys?.has(taskKeyOf(task.owner, task.task_id)) !== false)
    .filter(({ seq, accepted_at }) => seq < before_seq && accepted_at >= from && accepted_at < to)
    .filter((one) => fits(one, asked))
    .toReversed()
    .slice(0, limit)
    .map(listed)
  return { tasks }
}

function fits({ task, outcome, pool_id: at }: KeptTask, asked: Partial<TaskFilter>): boolean {
  const { owner, session_id, ended, code, pool_id, task_id_prefix = '' } = asked
  return (
    (owner === undefined || task.owner === owner) &&
    (session_id === undefined || task.request.session_id === session_id) &&
    (ended === undefined || (outcome?.state ?? 'unfinished') === ended) &&
    (code === undefined || outcome?.error?.code === code) &&
    (pool_id === undefined || at === pool_id) &&
    task.task_id.startsWith(task_id_prefix)
  )
}

/** A task as a list has it: without its request. */
export const listed = (kept: KeptTask): ListedTask => ({ ...recordOf(kept), task: summaryOf(kept.task), pool_id: kept.pool_id })

/** The record alone. */
export const recordOf = ({ seq, task, outcome }: KeptTask): TaskRecord => ({ seq, task, ...(outcome === undefined ? {} : { outcome }) })

/** What a queue has to know of it, where it is. */
export const headIn = ({ task, pool_id }: KeptTask): TaskHead => ({ ...headOf(task), pool_id })

/** The record after a task was moved; as it is where it is another one, or has ended. */
export const movedBy = ({ key, pool_id }: Extract<Fact, { kind: 'moved' }>, kept: KeptTask): KeptTask =>
  kept.outcome === undefined && kept.task.owner === key.owner && kept.task.task_id === key.task_id ? { ...kept, pool_id } : kept

/** What is known of an attempt. */
interface Known {
  readonly replayable: boolean
  readonly recorded: true | undefined
  readonly withdrawn: boolean
  readonly runs: readonly Run[] | undefined
}

/** What is known of the attempts of tasks that have not ended. */
export class MemoryAttempts {
  private readonly tasks = new Map<string, Map<number, Known>>()

  /** Takes in a fact of a task that has not ended. */
  apply(fact: Extract<Fact, { kind: 'attempt' | 'attempt_withdrawn' | 'runs' }>): void {
    const key = taskKeyOf(fact.key.owner, fact.key.task_id)
    const all = this.tasks.get(key) ?? new Map<number, Known>()
    const known = all.get(fact.attempt)
    if (fact.kind === 'attempt') {
      const { replayable, recorded, runs } = fact
      this.tasks.set(key, all.set(fact.attempt, { replayable, recorded, withdrawn: false, runs }))
    } else if (known !== undefined)
      all.set(fact.attempt, { ...known, ...(fact.kind === 'runs' ? { runs: fact.runs } : { withdrawn: true }) })
  }

  forget(task: TaskKey): void {
    this.tasks.delete(taskKeyOf(task.owner, task.task_id))
  }

  of(task: TaskKey): Attempts | undefined {
    const all = [...(this.tasks.get(taskKeyOf(task.owner, task.task_id)) ?? [])].sort(([a], [b]) => a - b)
    const newest = all.at(-1)?.[1]
    if (newest === undefined) return undefined
    const { replayable, recorded, runs = [] } = newest
    const failed = all.filter(([, { withdrawn }]) => !withdrawn).length
    return { failed, replayable, ...(recorded === true ? { recorded } : {}), ...(runs.length === 0 ? {} : { runs }) }
  }
}
