import { DomainError } from '../../domain/errors.ts'
import type { EventFormat } from '../../domain/stream/event-format.ts'
import type { FrameSource } from '../../domain/stream/frame-source.ts'
import type { Principal } from '../../domain/principal.ts'
import { TaskLog, type ReadPoint, type ResumePoint } from '../../domain/stream/task-log.ts'
import { taskKeyOf, type AcceptedTask } from '../../domain/task.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { EventLog } from '../../ports/event-log.ts'
import type { Journal } from '../../ports/journal.ts'
import type { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'
import { progressOf } from './progress.ts'

/** How often a followed task reports its metrics, ms. */
const metrics_ms = 1000

/** How long they wait for a part that they could go out with, ms. */
const patience_ms = 250

/** Rounds of the event loop that one report of reports is spread over, so that no token has to wait for all of it. */
const rounds = 100

/** A door's format, or how to make one for the task. */
export type FormatOf = EventFormat | ((task: AcceptedTask) => EventFormat)

/** A reader, and the task it reads. */
export interface OpenedStream {
  readonly reader: FrameSource
  readonly task: AcceptedTask
}

/** What streams work with. */
export interface StreamParts {
  readonly live: LiveTasks
  readonly journal: Pick<Journal, 'find'>
  readonly eventLog: EventLog
  readonly clock: Clock
}

/** Opens readers on tasks' event logs, live or finished. */
export class Streams {
  private readonly parts: StreamParts
  /** Live tasks that somebody reads, or read a moment ago. */
  private readonly followed = new Set<LiveTask>()
  /** Logs of finished tasks that somebody reads, or read a moment ago: one for all readers of a task, so that slow ones cost little. */
  private readonly replayed = new Map<string, Promise<TaskLog | undefined>>()

  constructor(parts: StreamParts) {
    this.parts = parts
  }

  /** Starts to report metrics once a second to whoever follows. Returns how to stop. */
  start(): () => void {
    const { clock } = this.parts
    let [cancelReport, cancelTell] = [noTimer, noTimer]
    const stop = (): void => {
      cancelReport()
      cancelTell()
    }
    const cancel = clock.every(metrics_ms, () => {
      stop()
      const tasks = [...this.followed]
      cancelReport = spread(clock, tasks, (task) => this.report(task))
      const tell = (): void => void (cancelTell = spread(clock, tasks, ({ log }) => log.tell()))
      cancelTell = tasks.length === 0 ? noTimer : clock.after(patience_ms, tell)
      for (const [key, log] of this.replayed) void this.forgetUnread(key, log)
    })
    return () => {
      cancel()
      stop()
    }
  }

  /**
   * A reader from this point on, in a door's format; undefined where the reader has everything.
   * @throws DomainError not_found
   */
  open(principal: Principal, task_id: string, from: ReadPoint, format: FormatOf): Promise<OpenedStream>
  open(principal: Principal, task_id: string, from: ResumePoint, format: FormatOf): Promise<OpenedStream | undefined>
  async open(principal: Principal, task_id: string, from: ResumePoint, format: FormatOf): Promise<OpenedStream | undefined> {
    const task = this.parts.live.find(principal, task_id)
    if (task !== undefined) return this.follow(task, from, format)
    const record = await this.parts.journal.find(principal.name, task_id)
    // The task may have been accepted, or may have ended, while the journal was read.
    const now = this.parts.live.find(principal, task_id)
    if (now !== undefined) return this.follow(now, from, format)
    const log = record === undefined ? undefined : await this.replay(record.task)
    if (record === undefined || log === undefined) throw new DomainError('not_found', 'No such task.')
    return from.kind === 'nothing' ? undefined : { reader: log.read(from, made(format, record.task)), task: record.task }
  }

  /** The log of a finished task; undefined where there is none. */
  private replay(task: AcceptedTask): Promise<TaskLog | undefined> {
    // The same id may have named another task before this one.
    const key = `${taskKeyOf(task.owner, task.task_id)}@${task.accepted_at}`
    const known = this.replayed.get(key)
    if (known !== undefined) return known
    const log = this.parts.eventLog.read(task).then((stored) => (stored === undefined ? undefined : TaskLog.restore(stored)))
    this.replayed.set(key, log)
    log.then(
      (found) => found ?? this.replayed.delete(key),
      () => this.replayed.delete(key),
    )
    return log
  }

  private async forgetUnread(key: string, log: Promise<TaskLog | undefined>): Promise<void> {
    const found = await log.catch(() => undefined)
    if (found?.hasReaders !== true) this.replayed.delete(key)
  }

  private report(task: LiveTask): void {
    if (!task.log.hasReaders) this.followed.delete(task)
    // A task that is ending may still be given back to the queue.
    else if (task.phase !== 'ending' && task.log.tellsMetrics) task.log.report(progressOf(task, this.parts.clock.now()), true)
  }

  private follow(task: LiveTask, from: ResumePoint, format: FormatOf): OpenedStream | undefined {
    if (from.kind === 'nothing') return undefined
    this.followed.add(task)
    return { reader: task.log.read(from, made(format, task.accepted)), task: task.accepted }
  }
}

const noTimer: CancelTimer = () => undefined

/** Runs something for each, over some rounds of the event loop. Returns how to stop. */
function spread<T>(clock: Clock, all: readonly T[], run: (one: T) => void): CancelTimer {
  let cancel = noTimer
  const round = (from: number): void => {
    const to = from + Math.ceil(all.length / rounds)
    for (const one of all.slice(from, to)) run(one)
    if (to < all.length) cancel = clock.after(0, () => round(to))
  }
  round(0)
  return () => cancel()
}

const made = (format: FormatOf, task: AcceptedTask): EventFormat => (typeof format === 'function' ? format(task) : format)
