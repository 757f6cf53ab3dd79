import type { Pools } from '../pools/pools.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { waitsNow } from '../tasks/waiting.ts'
import { Forecasts } from './forecasts.ts'
import { TaskRow } from './task-row.ts'

/** The rows of tasks that run or are shown while they wait, the same for all viewers. */
export class TaskRows {
  private readonly pools: Pick<Pools<LiveTask>, 'serving'>
  /** Of every task that was ever shown: a handle is a task's as long as the daemon lives. */
  private readonly handles: WeakMap<LiveTask, number>
  private readonly nextHandle: () => number
  /** By id of the task. */
  private readonly rows = new Map<string, TaskRow>()
  /** Rows with a slot, by pool and replica, each in its place. */
  private readonly slots = new Map<string, (TaskRow | undefined)[]>()
  private running_: readonly TaskRow[] = []
  private forecasts: Forecasts | undefined

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
    this.reasonOf(row, now, tick)
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

  /** Looks which tasks run and whether any is another than before. */
  look(now: number, tick: number): boolean {
    const running: TaskRow[] = []
    for (const pool of this.pools.serving()) for (const task of pool.running) running.push(this.of(task, now, tick))
    this.running_ = running
    this.seat()
    let other = false
    for (const row of this.rows.values()) {
      const changed = row.look(tick)
      if (changed && !row.running) this.predictOne(row, now, tick)
      other = this.reasonOf(row, now, tick) || changed || other
    }
    return other
  }

  /** Looks how far those are that run. */
  progress(tick: number): boolean {
    let other = false
    for (const row of this.running_) other = row.progress(tick) || other
    return other
  }

  /** Looks how fast they are, and when those start that wait. */
  predict(now: number, tick: number): boolean {
    let other = false
    this.forecasts = new Forecasts(now)
    for (const row of this.rows.values())
      if (row.running) row.pace(now, tick)
      else other = this.predictOne(row, now, tick) || other
    return other
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

  private reasonOf(row: TaskRow, now: number, tick: number): boolean {
    const { task } = row
    // It may have its slot and still wait until nobody else runs there.
    return row.wait(waitsNow(task, row.running ? undefined : task.pool.scheduler.ahead(task), now), now, tick)
  }

  private predictOne(row: TaskRow, now: number, tick: number): boolean {
    this.forecasts ??= new Forecasts(now)
    const { task } = row
    const place = task.pool.scheduler.ahead(task)
    return place !== undefined && row.predict(this.forecasts.of(task, place), now, tick)
  }

  /** Gives each that runs a place on its replica, which it keeps. */
  private seat(): void {
    const at = ({ task }: TaskRow): string => `${task.pool.id}/${task.replica_id ?? ''}`
    const running = new Set(this.running_)
    for (const [place, seats] of this.slots)
      for (const [slot, row] of seats.entries()) {
        if (row === undefined || (running.has(row) && at(row) === place)) continue
        seats[slot] = row.slot = undefined
      }
    for (const row of this.running_) {
      if (row.slot !== undefined) continue
      const place = at(row)
      const seats = this.slots.get(place) ?? []
      this.slots.set(place, seats)
      const free = seats.indexOf(undefined)
      row.slot = free < 0 ? seats.length : free
      seats[row.slot] = row
    }
  }
}
