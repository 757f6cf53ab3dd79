import { DomainError } from '../../domain/errors.ts'
import { startMs } from '../../domain/prediction/forecast.ts'
import { defaultPage } from '../../domain/page.ts'
import { visibleOwner, type Principal } from '../../domain/principal.ts'
import { taskKeyOf, type AcceptedTask, type TaskOutcome, type TaskRecord, type TaskState, type TaskView } from '../../domain/task.ts'
import type { Journal, TaskFilter } from '../../ports/journal.ts'
import type { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'

/** Which tasks to list. */
export interface TaskQuery {
  readonly state?: TaskState | undefined
  readonly session_id?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** What a key may know of tasks: its own, or with the role `control` everybody's. */
export class Tasks {
  private readonly live: LiveTasks
  private readonly journal: Pick<Journal, 'find' | 'list'>

  constructor(live: LiveTasks, journal: Pick<Journal, 'find' | 'list'>) {
    this.live = live
    this.journal = journal
  }

  /** @throws DomainError not_found */
  async get(principal: Principal, task_id: string): Promise<TaskView> {
    const live = this.live.find(principal, task_id)
    if (live !== undefined) return this.viewLive(live)
    const record = await this.journal.find(visibleOwner(principal), task_id)
    if (record === undefined) throw new DomainError('not_found', 'No such task.')
    return this.view(record)
  }

  /** Newest first. */
  async list(principal: Principal, query: TaskQuery): Promise<{ tasks: TaskView[]; next_cursor?: string }> {
    const owner = visibleOwner(principal)
    const { state, session_id, limit = defaultPage } = query
    const ended: TaskFilter['ended'] = state === 'queued' || state === 'running' ? 'unfinished' : state
    const filter = {
      ...(owner === undefined ? {} : { owner }),
      ...(session_id === undefined ? {} : { session_id }),
      ...(ended === undefined ? {} : { ended }),
    }
    const page: TaskRecord[] = []
    let next = query.cursor === undefined ? undefined : Number(query.cursor)
    // Whether an unfinished task waits or runs is known only here, so the page is picked from pages of all unfinished ones.
    for (;;) {
      const records = await this.journal.list({ ...filter, ...(next === undefined ? {} : { before_seq: next }), limit: limit + 1 })
      page.push(...records.filter((record) => state === undefined || this.view(record).state === state).slice(0, limit + 1 - page.length))
      next = records.at(-1)?.seq
      if (page.length > limit || records.length <= limit) break
    }
    const tasks = page.slice(0, limit)
    const last = tasks.at(-1)
    return {
      tasks: tasks.map((record) => this.view(record)),
      ...(page.length > limit && last !== undefined ? { next_cursor: String(last.seq) } : {}),
    }
  }

  private view(record: TaskRecord): TaskView {
    const live = this.live.get(taskKeyOf(record.task.owner, record.task.task_id))
    if (live !== undefined && record.outcome === undefined) return this.viewLive(live)
    return taskView(record.task, record.outcome)
  }

  private viewLive(task: LiveTask): TaskView {
    const { pool } = task
    const ahead = task.started_at === undefined ? pool.scheduler.ahead(task) : undefined
    return {
      ...taskView(task.accepted, undefined),
      pool_id: pool.id,
      state: task.started_at === undefined ? 'queued' : 'running',
      ...(ahead === undefined
        ? {}
        : { queue_position: ahead.position, predicted_start_ms: startMs(pool.predictStart(ahead, task.priority)) }),
      ...(task.started_at === undefined ? {} : { started_at: iso(task.started_at), replica_id: task.replica_id ?? 'none' }),
    }
  }
}

const iso = (at: number): string => new Date(at).toISOString()

function taskView(task: AcceptedTask, outcome: TaskOutcome | undefined): TaskView {
  const { task_id, request, pool_id, seed, accepted_at } = task
  const { session_id, workload, model_ref, engine, priority, metadata } = request
  return {
    task_id,
    session_id,
    workload,
    model_ref,
    engine,
    pool_id,
    priority,
    state: outcome?.state ?? 'queued',
    seed,
    accepted_at: iso(accepted_at),
    ...(outcome?.started_at === undefined ? {} : { started_at: iso(outcome.started_at) }),
    ...(outcome === undefined ? {} : { finished_at: iso(outcome.finished_at) }),
    ...(outcome?.replica_id === undefined ? {} : { replica_id: outcome.replica_id }),
    ...(outcome?.tokens_in === undefined ? {} : { tokens_in: outcome.tokens_in }),
    ...(outcome?.tokens_out === undefined ? {} : { tokens_out: outcome.tokens_out }),
    ...(outcome?.finish_reason === undefined ? {} : { finish_reason: outcome.finish_reason }),
    ...(outcome?.artifact_id === undefined ? {} : { artifact_id: outcome.artifact_id }),
    ...(outcome?.result_artifact_id === undefined ? {} : { result_artifact_id: outcome.result_artifact_id }),
    ...(outcome?.error === undefined ? {} : { error: outcome.error }),
    ...(metadata === undefined ? {} : { metadata }),
  }
}
