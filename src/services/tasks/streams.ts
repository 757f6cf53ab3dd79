import { DomainError } from '../../domain/errors.ts'
import { metricsFrame } from '../../domain/stream/frames.ts'
import { visibleOwner, type Principal } from '../../domain/principal.ts'
import { parseResumePoint, TaskLog, type ResumePoint } from '../../domain/stream/task-log.ts'
import type { TaskReader } from '../../domain/stream/task-reader.ts'
import { taskKeyOf, type AcceptedTask } from '../../domain/task.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { EventLog } from '../../ports/event-log.ts'
import type { Journal } from '../../ports/journal.ts'
import type { LiveTask, LiveTasks } from './live-tasks.ts'
import { progressOf } from './progress.ts'
import { findLive } from './tasks.ts'

/** How often a followed task reports its metrics, ms. */
const metrics_ms = 1000

/** Rounds of the event loop that one report of reports is spread over, so that no token has to wait for all of it. */
const rounds = 100

/** A reader, and the task it reads. */
export interface OpenedStream {
  readonly reader: TaskReader
  readonly task: AcceptedTask
}

/** Opens readers on tasks' event logs, live or finished. */
export class Streams {
  private readonly live: LiveTasks
  private readonly journal: Pick<Journal, 'find'>
  private readonly eventLog: EventLog
  private readonly clock: Clock
  /** Live tasks that somebody reads, or read a moment ago. */
  private readonly followed = new Set<LiveTask>()
  /** Logs of finished tasks that somebody reads, or read a moment ago: one for all readers of a task, so that slow ones cost little. */
  private readonly replayed = new Map<string, Promise<TaskLog | undefined>>()

  constructor(live: LiveTasks, journal: Pick<Journal, 'find'>, eventLog: EventLog, clock: Clock) {
    this.live = live
    this.journal = journal
    this.eventLog = eventLog
    this.clock = clock
  }

  /** Starts to report metrics once a second to whoever follows. Returns how to stop. */
  start(): () => void {
    let cancelRound: CancelTimer = () => undefined
    const report = (tasks: readonly LiveTask[], from: number): void => {
      const to = from + Math.ceil(tasks.length / rounds)
      for (const task of tasks.slice(from, to)) this.report(task)
      if (to < tasks.length) cancelRound = this.clock.after(0, () => report(tasks, to))
    }
    const cancel = this.clock.every(metrics_ms, () => {
      cancelRound()
      report([...this.followed], 0)
      for (const [key, log] of this.replayed) void this.forgetUnread(key, log)
    })
    return () => {
      cancel()
      cancelRound()
    }
  }

  /**
   * A reader from where `last_event_id` says; undefined where the reader has everything.
   * @throws DomainError not_found, invalid_params for an id this daemon does not write
   */
  async open(principal: Principal, task_id: string, last_event_id: string | undefined): Promise<OpenedStream | undefined> {
    const from = parseResumePoint(last_event_id)
    if (from === undefined)
      throw new DomainError('invalid_params', 'header.Last-Event-ID: not an id of this stream; leave it out to read from the start')
    const task = findLive(this.live, principal, task_id)
    if (task !== undefined) return this.follow(task, from)
    const record = await this.journal.find(visibleOwner(principal), task_id)
    // The task may have been accepted, or may have ended, while the journal was read.
    const now = findLive(this.live, principal, task_id)
    if (now !== undefined) return this.follow(now, from)
    const log = record === undefined ? undefined : await this.replay(record.task)
    if (record === undefined || log === undefined) throw new DomainError('not_found', 'No such task.')
    return from.kind === 'nothing' ? undefined : { reader: log.read(from), task: record.task }
  }

  /** The log of a finished task; undefined where there is none. */
  private replay(task: AcceptedTask): Promise<TaskLog | undefined> {
    // The same id may have named another task before this one.
    const key = `${taskKeyOf(task.owner, task.task_id)}@${task.accepted_at}`
    const known = this.replayed.get(key)
    if (known !== undefined) return known
    const log = this.eventLog.read(task).then((stored) => (stored === undefined ? undefined : TaskLog.restore(stored)))
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
    else if (task.phase !== 'ending') task.log.report(metricsFrame(progressOf(task, this.clock.now())))
  }

  private follow(task: LiveTask, from: ResumePoint): OpenedStream | undefined {
    if (from.kind === 'nothing') return undefined
    this.followed.add(task)
    return { reader: task.log.read(from), task: task.accepted }
  }
}
