import { DomainError } from '../../domain/errors.ts'
import { startMs } from '../../domain/prediction/forecast.ts'
import type { Outlook } from '../../domain/prediction/outlook.ts'
import { defaultPage } from '../../domain/page.ts'
import { controls, ownersListed, type Principal } from '../../domain/principal.ts'
import { attemptsOf, phasesOf, type Run, type TaskPhase } from '../../domain/runs.ts'
import { type ErrorCode, type ListedTask, type TaskOutcome, type TaskState, type TaskSummary, type TaskView } from '../../domain/task.ts'
import type { Journal, TaskFilter } from '../../ports/journal.ts'
import type { Clock } from '../../ports/clock.ts'
import { KeyedPlaces } from '../keyed-places.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import { phasesSoFar } from './life.ts'
import type { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'
import { waitsNow } from './waiting.ts'
import { queuePage, type QueuePage, type QueueQuery } from './queue-page.ts'

/** Which tasks to list. */
export interface TaskQuery {
  readonly state?: TaskState | undefined
  readonly session_id?: string | undefined
  /** Only tasks of this key. */
  readonly owner?: string | undefined
  /** Only tasks that ended with this error. */
  readonly code?: ErrorCode | undefined
  /** Only tasks that are in this pool, or were when they ended. */
  readonly pool_id?: string | undefined
  /** Only tasks whose id begins with this. */
  readonly task_id?: string | undefined
  /** Only tasks accepted from then on, and before then; RFC 3339. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** What the view of tasks works with. */
export interface TasksParts {
  readonly live: LiveTasks
  readonly journal: Pick<Journal, 'commit' | 'look' | 'list'>
  readonly pools: Pick<Pools<LiveTask>, 'get' | 'serving'>
  readonly clock: Clock
}

/** What a key may know of tasks. */
export class Tasks {
  private readonly parts: TasksParts
  private readonly lists = new KeyedPlaces(1)

  constructor(parts: TasksParts) {
    this.parts = parts
  }

  /** @throws DomainError not_found */
  async get(principal: Principal, task_id: string): Promise<TaskView> {
    const live = this.parts.live.find(principal, task_id)
    if (live !== undefined)
      return { ...this.viewLive(live, live.accepted, principal), ...toldOf(phasesSoFar(live), live.runs.told, live.accepted, principal) }
    const record = await this.parts.journal.look(principal.name, task_id)
    if (record === undefined) throw new DomainError('not_found', 'No such task.')
    const view = this.view(record, principal)
    const life = record.outcome?.life
    if (life === undefined) return view
    return { ...view, ...toldOf(phasesOf(life.runs, life, life.ended), life.runs, record.task, principal) }
  }

  /** Newest first; lists for one key are made one after the other. @throws DomainError forbidden */
  list(principal: Principal, query: TaskQuery): Promise<{ tasks: TaskView[]; next_cursor?: string }> {
    return this.lists.run(principal.name, () => this.page(principal, query))
  }

  private async page(principal: Principal, query: TaskQuery): Promise<{ tasks: TaskView[]; next_cursor?: string }> {
    const { state, pool_id, limit = defaultPage } = query
    const filter = this.filterOf(principal, query)
    const page: TaskView[] = []
    let last: number | undefined
    let next = query.cursor === undefined ? undefined : Number(query.cursor)
    // Whether an unfinished task waits or runs is known only here. Few run, so that a page of those that wait is found in little more than a page.
    for (;;) {
      const slice = await this.parts.journal.list({ ...filter, ...(next === undefined ? {} : { before_seq: next }), limit: limit + 1 })
      const { tasks: records, looked_to } = slice
      const outlookOf = outlooks()
      for (const record of records) {
        const view = this.view(record, principal, outlookOf)
        if ((state !== undefined && view.state !== state) || (pool_id !== undefined && view.pool_id !== pool_id)) continue
        if (page.length === limit) return { tasks: page, next_cursor: String(last) }
        page.push(view)
        last = record.seq
      }
      next = records.at(-1)?.seq
      if (looked_to !== undefined) return { tasks: page, next_cursor: String(looked_to) }
      if (records.length <= limit) return { tasks: page }
    }
  }

  /**
   * Forgets the principal's own task, which has ended, with its events and its artifacts, before its retention ends.
   * @throws DomainError not_found
   * @throws StorageError
   */
  async forget({ name: owner }: Principal, task_id: string): Promise<void> {
    const outcome = (await this.parts.journal.look(owner, task_id))?.outcome
    if (outcome === undefined) throw new DomainError('not_found', 'No such task has ended.')
    const artifacts = [outcome.artifact_id, outcome.result_artifact_id].filter((id) => id !== undefined)
    await this.parts.journal.commit([{ kind: 'task_forgotten', key: { owner, task_id }, artifacts }])
  }

  /** Who runs and who waits in a pool. @throws DomainError not_found */
  queue(principal: Principal, pool_id: string, query: QueueQuery): QueuePage {
    return queuePage(() => this.parts.pools.get(pool_id), principal, query, this.parts.clock.now())
  }

  /** What the journal is asked for. Of tasks that run it is asked by their keys, as it does not know them from those that wait. */
  private filterOf(principal: Principal, query: TaskQuery): Omit<TaskFilter, 'limit'> {
    const { state, session_id, code, pool_id, task_id = '' } = query
    const owner = ownersListed(principal, query.owner)
    const times = { ...timeOf('from', query.from), ...timeOf('to', query.to) }
    if (state === 'running') {
      const tasks = code === undefined ? this.parts.pools.serving().flatMap(({ running }) => [...running]) : []
      const shown = tasks.filter(
        ({ owner: own, head, pool }) =>
          (owner ?? own) === own &&
          (session_id ?? head.session_id) === head.session_id &&
          (pool_id ?? pool.id) === pool.id &&
          head.task_id.startsWith(task_id),
      )
      return { among: shown.map(({ key }) => key), ...times }
    }
    const ended = state === 'queued' ? 'unfinished' : state
    return {
      ...(owner === undefined ? {} : { owner }),
      ...(session_id === undefined ? {} : { session_id }),
      ...(ended === undefined ? {} : { ended }),
      ...(code === undefined ? {} : { code }),
      ...(pool_id === undefined ? {} : { pool_id }),
      ...(task_id === '' ? {} : { task_id_prefix: task_id }),
      ...times,
    }
  }

  private view(record: ListedTask, principal: Principal, outlookOf?: OutlookOf): TaskView {
    const live = this.parts.live.of(record.task.owner, record.task.task_id)
    if (live !== undefined && record.outcome === undefined) return this.viewLive(live, record.task, principal, outlookOf)
    return { ...taskView(record.task, record.outcome, principal), pool_id: record.pool_id }
  }

  private viewLive(task: LiveTask, summary: TaskSummary, principal: Principal, outlookOf: OutlookOf = outlooks()): TaskView {
    const { pool } = task
    const ahead = task.started_at === undefined ? pool.scheduler.ahead(task) : undefined
    const waits = waitsNow(task, ahead, this.parts.clock.now())
    return {
      ...taskView(summary, undefined, principal),
      engine: pool.config.engine,
      pool_id: pool.id,
      state: task.started_at === undefined ? 'queued' : 'running',
      ...(ahead === undefined
        ? {}
        : {
            queue_position: ahead.position,
            predicted_start_ms: startMs(pool.predictStart(ahead, task.priority, Infinity, outlookOf(pool))),
          }),
      ...(waits === undefined ? {} : { waits }),
      ...(task.started_at === undefined
        ? {}
        : { started_at: iso(this.parts.clock.wallOf(task.started_at)), replica_id: task.replica_id ?? 'none' }),
    }
  }
}

type OutlookOf = (pool: Pool<LiveTask>) => Outlook

/** What is expected of each pool at one moment: reckoned once for all tasks that are told of together. */
function outlooks(): OutlookOf {
  const known = new Map<Pool<LiveTask>, Outlook>()
  return (pool) => {
    const outlook = known.get(pool) ?? pool.outlook
    known.set(pool, outlook)
    return outlook
  }
}

/** A point in time as the journal has it. @throws DomainError invalid_params for a leap second */
function timeOf(field: 'from' | 'to', at: string | undefined): { readonly from?: number; readonly to?: number } {
  if (at === undefined) return {}
  const time = Date.parse(at)
  if (Number.isNaN(time)) throw new DomainError('invalid_params', `query.${field}: must be a point in time such as 2026-01-01T00:00:00Z`)
  return { [field]: time }
}

/** What only a task that is asked for by itself tells of its life. */
const toldOf = (phases: TaskPhase[], runs: readonly Run[], { accepted_at }: TaskSummary, principal: Principal): Partial<TaskView> => ({
  phases,
  attempts: attemptsOf(runs, accepted_at, controls(principal)),
})

const iso = (at: number): string => new Date(at).toISOString()

function taskView(task: TaskSummary, outcome: TaskOutcome | undefined, principal: Principal): TaskView {
  const { task_id, request, pool_id, seed, accepted_at } = task
  const { session_id, workload, model_ref, engine, priority, metadata } = request
  return {
    task_id,
    ...(controls(principal) ? { owner: task.owner } : {}),
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
