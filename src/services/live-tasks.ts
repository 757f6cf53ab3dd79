import { startedFrame } from '../domain/frames.ts'
import { unplaced, type Schedulable } from '../domain/scheduler.ts'
import { TaskLog } from '../domain/task-log.ts'
import { taskKeyOf, type AcceptedTask } from '../domain/task.ts'
import type { Seat } from './seat.ts'
import type { TaskPool } from './task-pool.ts'

/**
 * An accepted task until its terminal event is durable. `id` is unique among all keys' tasks.
 * Phases: tentative (not durable yet) -> queued -> running -> ending -> gone; queued -> ending as well.
 */
export interface LiveTask extends Schedulable {
  readonly accepted: AcceptedTask
  readonly log: TaskLog
  readonly session: Seat
  /** Where it waits or runs now; a drain may move it. */
  pool: TaskPool
  readonly abort: AbortController
  /** Resolves when the terminal event is durable and every reader stands on it, or when a claimed end is taken back. */
  ended: Gate
  /** The end could not be made durable yet; it is tried again. */
  unwritten: boolean
  phase: 'tentative' | 'queued' | 'running' | 'ending'
  attempts: number
  /** It has its slot and its engine is called as soon as the attempt is durable. */
  recording: boolean
  /** Milliseconds since the epoch. */
  started_at?: number
  first_token_at?: number
  last_token_at?: number
  replica_id?: string
}

/** Something to wait for. */
export interface Gate {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

export function newGate(): Gate {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/**
 * A task that has just been accepted.
 * @param work_ms its expected service time on one slot, ms
 */
export function newLiveTask(accepted: AcceptedTask, pool: TaskPool, work_ms: number, session: Seat): LiveTask {
  const { request, queue_position, predicted_start_ms, pool_id, accepted_at, owner, task_id } = accepted
  const started = { queue_position, predicted_start_ms, pool_id, engine: request.engine, accepted_at: new Date(accepted_at).toISOString() }
  return {
    id: taskKeyOf(owner, task_id),
    owner,
    priority: request.priority,
    deadline_at: accepted_at + request.deadline_ms,
    work_ms,
    ...unplaced,
    accepted,
    pool,
    session,
    log: new TaskLog(startedFrame(started)),
    abort: new AbortController(),
    ended: newGate(),
    unwritten: false,
    phase: 'tentative',
    attempts: 0,
    recording: false,
  }
}

/** All live tasks, by id and by owner. */
export class LiveTasks {
  private readonly tasks = new Map<string, LiveTask>()
  private readonly owned = new Map<string, Set<LiveTask>>()

  get size(): number {
    return this.tasks.size
  }

  get(id: string): LiveTask | undefined {
    return this.tasks.get(id)
  }

  add(task: LiveTask): void {
    this.tasks.set(task.id, task)
    const own = this.owned.get(task.owner)
    if (own === undefined) this.owned.set(task.owner, new Set([task]))
    else own.add(task)
  }

  delete(task: LiveTask): void {
    this.tasks.delete(task.id)
    const own = this.owned.get(task.owner)
    own?.delete(task)
    if (own?.size === 0) this.owned.delete(task.owner)
  }

  /** Tasks of an owner that wait, or are about to. */
  waiting(owner: string): number {
    let count = 0
    for (const { phase } of this.owned.get(owner) ?? []) if (phase === 'queued' || phase === 'tentative') count++
    return count
  }

  /** In order of acceptance; one owner's or everybody's. */
  all(owner?: string): Iterable<LiveTask> {
    return owner === undefined ? this.tasks.values() : (this.owned.get(owner) ?? [])
  }
}
