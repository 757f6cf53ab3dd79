import type { Run } from '../../src/domain/runs.ts'
import { summaryOf, taskKeyOf, type Attempts, type ListedTask, type TaskKey, type TaskRecord } from '../../src/domain/task.ts'
import type { Fact, TaskFilter } from '../../src/ports/journal.ts'

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
