import { shapeOf, waiting, type RunningWork, type WorkShape } from '../../domain/prediction/estimator.ts'
import { startedFrame, type StartedEvent } from '../../domain/stream/frames.ts'
import { unplaced, type Schedulable } from '../../domain/queue/scheduler.ts'
import { TaskLog } from '../../domain/stream/task-log.ts'
import { taskKeyOf, type AcceptedTask, type Priority, type TaskHead, type TaskSource } from '../../domain/task.ts'
import type { Reservation } from '../sessions/reservation.ts'
import type { TaskPool } from '../pools/task-pool.ts'

/**
 * An accepted task until its terminal event is durable. `id` is unique among all keys' tasks.
 * Phases: tentative (not durable yet) -> queued -> running -> ending -> gone; queued -> ending as well.
 * A long queue is made of these: what a waiting task may never need is made when it is first asked for.
 */
export class LiveTask implements Schedulable {
  readonly id: string
  readonly owner: string
  readonly priority: Priority
  readonly deadline_at: number
  readonly work_ms: number
  ticket: number = unplaced.ticket
  arrival: number = unplaced.arrival
  readonly session: Reservation
  /** Where it waits or runs now; a drain may move it. */
  pool: TaskPool
  /** The end could not be made durable yet; it is tried again. */
  unwritten = false
  phase: 'tentative' | 'queued' | 'running' | 'ending' = 'tentative'
  attempts = 0
  /** It has its slot and its engine is called as soon as the attempt is durable. */
  recording = false
  /** Milliseconds since the epoch. */
  started_at?: number
  first_token_at?: number
  last_token_at?: number
  replica_id?: string
  private readonly source: TaskSource
  private events: TaskLog | undefined
  private aborting: AbortController | undefined
  private ending: Gate | undefined

  constructor(head: TaskHead, pool: TaskPool, session: Reservation) {
    this.id = taskKeyOf(head.owner, head.task_id)
    this.owner = head.owner
    this.priority = head.priority
    this.deadline_at = head.accepted_at + head.deadline_ms
    this.work_ms = pool.estimator.serviceMs(shapeOf(head, head.prompt_tokens))
    this.session = session
    this.pool = pool
    this.source = head.source
  }

  get accepted(): AcceptedTask {
    return this.source.task
  }

  get shape(): WorkShape {
    return shapeOf(this.accepted.request, this.accepted.prompt_tokens)
  }

  get log(): TaskLog {
    this.events ??= new TaskLog(startedFrame(startedEvent(this.accepted)))
    return this.events
  }

  get abort(): AbortController {
    this.aborting ??= new AbortController()
    return this.aborting
  }

  /** Resolves when the terminal event is durable and every reader stands on it, or when a claimed end is taken back. */
  get ended(): Gate {
    this.ending ??= newGate()
    return this.ending
  }

  set ended(gate: Gate) {
    this.ending = gate
  }
}

/** What the `started` frame of an accepted task says. */
export function startedEvent({ queue_position, predicted_start_ms, pool_id, request, accepted_at }: AcceptedTask): StartedEvent {
  return { queue_position, predicted_start_ms, pool_id, engine: request.engine, accepted_at: new Date(accepted_at).toISOString() }
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

/** What there is to do of a task, and how far it is. One that ends while it runs has nothing left. */
export function workAt({ shape, phase, started_at, last_token_at, log }: LiveTask, now: number): RunningWork {
  if (started_at === undefined) return { shape, progress: waiting }
  if (phase === 'ending') return { shape: { prompt_tokens: 0, max_tokens: 0 }, progress: waiting }
  return { shape, progress: { tokens: log.tokenCount, since_ms: now - (last_token_at ?? started_at) } }
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
