import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { waitsNow } from '../tasks/waiting.ts'
import { Forecasts } from './forecasts.ts'
import { Seats } from './seats.ts'
import { TaskRow } from './task-row.ts'

/** Each prediction is looked at in one of so many turns. */
const turns = 4

/** The rows of tasks that run or are shown while they wait, the same for all viewers. */
export class TaskRows {
  private readonly pools: Pick<Pools<LiveTask>, 'serving'>
  /** Of every task that was ever shown: a handle is a task's as long as the daemon lives. */
  private readonly handles: WeakMap<LiveTask, number>
  private readonly nextHandle: () => number
  /** By id of the task. */
  private readonly rows = new Map<string, TaskRow>()
  private readonly seats = new Seats<TaskRow>()
  private running_: readonly TaskRow[] = []
  private forecasts: Forecasts | undefined
  private turn = 0

  constructor(pools: Pick<Pools<LiveTask>, 'serving'>, handles: WeakMap<LiveTask, number>, nextHandle: () => number) {
    ;[this.pools, this.handles, this.nextHandle] = [pools, handles, nextHandle]
  }

  /** Rows of tasks that run, pool by pool. */
  get running(): readonly TaskRow[] {
    return this.running_
  }

  /** The row of a task, made when it is first asked for. */
  of(task: LiveTask, now: number, tick: number): TaskRow {
    const known = this.rows.get(task.id)
    // The same id may have named another task before this one.
    if (known?.task === task) return known
    const row = new TaskRow(this.handleOf(task), task, tick)
    this.rows.set(task.id, row)
    row.look(tick)
    if (!row.running) this.predictOne(row, now, tick)
    this.reason(row, now, tick)
    return row
  }

  /** The row of a task that has just ended, if it was shown. */
  find(id: string): TaskRow | undefined {
    return this.rows.get(id)
  }

  handleOf(task: LiveTask): number {
    const known = this.handles.get(task)
    if (known !== undefined) return known
    const handle = this.nextHandle()
    this.handles.set(task, handle)
    return handle
  }

  /** Looks which tasks run and whether any is another than before. @param whole why they wait, too, which else only new rows are asked */
  look(now: number, tick: number, whole: boolean): void {
    const running: TaskRow[] = []
    for (const pool of this.pools.serving())
      for (const task of pool.running) {
        const row = this.of(task, now, tick)
        row.ran = tick
        this.seats.seat(row)
        running.push(row)
      }
    for (const row of this.running_) if (row.ran !== tick) this.seats.leave(row)
    this.running_ = running
    for (const row of this.rows.values()) {
      const changed = row.look(tick)
      if (changed && !row.running) this.predictOne(row, now, tick)
      if (changed || (whole && !row.running) || row.task.runs.alone_on !== undefined) this.reason(row, now, tick)
    }
  }

  /** Looks why a task waits. */
  reason(row: TaskRow, now: number, tick: number): void {
    const { task } = row
    // It may have its slot and still wait until nobody else runs there.
    row.wait(waitsNow(task, row.running ? undefined : task.pool.scheduler.ahead(task), now), now, tick)
  }

  /** Looks how far those are that run. */
  progress(tick: number): boolean {
    let other = false
    for (const row of this.running_) other = row.progress(tick) || other
    return other
  }

  /** Looks how fast those are that run, and when those start that wait: a part of them each time, for that takes longest. */
  predict(now: number, tick: number): void {
    this.forecasts = new Forecasts(now)
    this.turn = (this.turn + 1) % turns
    for (const row of this.rows.values())
      if (row.running) row.pace(now, tick)
      else if (row.h % turns === this.turn) this.predictOne(row, now, tick)
  }

  /** When the last that waits in a pool starts. */
  lastStart(pool: LiveTask['pool'], now: number): number {
    this.forecasts ??= new Forecasts(now)
    return this.forecasts.last(pool)
  }

  /** Keeps these, and those that run. */
  keep(shown: ReadonlySet<TaskRow>): void {
    const running = new Set(this.running_)
    for (const [id, row] of this.rows) if (!shown.has(row) && !running.has(row)) this.rows.delete(id)
  }

  private predictOne(row: TaskRow, now: number, tick: number): void {
    this.forecasts ??= new Forecasts(now)
    const { task } = row
    const place = task.pool.scheduler.ahead(task)
    if (place !== undefined) row.predict(this.forecasts.of(task, place), now, tick)
  }
}
