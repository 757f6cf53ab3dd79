import type { Place } from '../../domain/queue/ahead.ts'
import type { Pools } from '../pools/pools.ts'
import { Newest } from '../../domain/feed/newest.ts'
import { taskKeyOf } from '../../domain/task.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import { Forecasts } from './forecasts.ts'
import { Reasons } from './reasons.ts'
import { Seats } from './seats.ts'
import { TaskRow } from './task-row.ts'
import { Touched } from './touched.ts'

/** Changes that are remembered: who has had none of them looks at all rows. */
const most_changes = 1024

/** One row in so many is looked at for whether what is expected of a queue is still so, another one each time. */
const one_in = 4

/** Turns of a pool from one look at when those start that wait to the next, where that was another than was foreseen, and where it was not. */
const turns_if_moved = 2
const turns_if_still = 4

/** Where the tasks are. */
export interface RowsParts {
  readonly pools: Pick<Pools<LiveTask>, 'serving'>
  readonly live: Pick<LiveTasks, 'of'>
}

/** The rows of tasks that run or are shown while they wait, the same for all viewers. */
export class TaskRows {
  private readonly pools: RowsParts['pools']
  private readonly live: RowsParts['live']
  /** Of every task that was ever shown: a handle is a task's as long as the daemon lives. */
  private readonly handles: WeakMap<LiveTask, number>
  private readonly nextHandle: () => number
  /** By id of the task. */
  private readonly rows = new Map<string, TaskRow>()
  /** By id of the pool in which each was seen. */
  private readonly byPool = new Map<string, Set<TaskRow>>()
  private readonly seats = new Seats<TaskRow>()
  /** Tasks that are looked at with the next tick. */
  readonly touched = new Touched()
  /** By id of a pool, the newest tick in which any that runs there was further, or had another rate; in which one that waits was foreseen anew. */
  readonly progressed = new Map<string, number>()
  readonly predicted = new Map<string, number>()
  /** Those that have changed. */
  readonly changes = new Newest<TaskRow>(most_changes)
  /** Ids of pools whose turn it is. */
  readonly due = new Set<string>()
  /** Of pools, by id: turns until the next one of foresight. */
  private readonly rests = new Map<string, number>()
  private turns = 0
  private readonly forecasts = new Forecasts()
  private readonly reasons = new Reasons()
  /** Rows of tasks that run. */
  readonly running = new Set<TaskRow>()
  /** Those of them that were not among them before the newest look, and those that are not any more. */
  joined: TaskRow[] = []
  dropped: TaskRow[] = []
  /** Rows that may be kept for nobody: they have come, or something does not show them any more. */
  readonly loose = new Set<TaskRow>()

  constructor({ pools, live }: RowsParts, handles: WeakMap<LiveTask, number>, nextHandle: () => number) {
    ;[this.pools, this.live, this.handles, this.nextHandle] = [pools, live, handles, nextHandle]
  }

  /** The row of a task, made when it is first asked for. */
  of(task: LiveTask, now: number, tick: number): TaskRow {
    const known = this.rows.get(task.id)
    // The same id may have named another task before this one.
    if (known?.task === task) return known
    const row = new TaskRow(this.handleOf(task), task, tick, this.changes)
    if (known !== undefined) this.forget(known)
    this.rows.set(task.id, row)
    this.loose.add(row)
    this.isOther(row, tick)
    this.explain(row, now, tick)
    return row
  }

  /** The row of a task that has just ended, if it was shown. */
  find(id: string): TaskRow | undefined {
    return this.rows.get(id)
  }

  private handleOf(task: LiveTask): number {
    const known = this.handles.get(task)
    if (known !== undefined) return known
    const handle = this.nextHandle()
    this.handles.set(task, handle)
    return handle
  }

  /**
   * Looks ahead in pools whose turn it is, until the next time: how far and how fast those are that run, why those wait that wait and, in every other turn, or
   * every fourth while it is as it was foreseen, when they start. Those who see it count down meanwhile.
   * @param anew in this one, too
   */
  lookAhead(due: ReadonlySet<string>, anew: boolean, now: number, tick: number): void {
    this.reasons.renew()
    const foresees = (id: string): boolean => anew || (this.rests.get(id) ?? 0) === 0
    for (const pool of this.pools.serving()) if (due.has(pool.id) && foresees(pool.id)) this.forecasts.renew(pool)
    for (const id of due) {
      this.due.add(id)
      const waiting: TaskRow[] = []
      for (const row of this.byPool.get(id) ?? []) {
        if (!row.running) waiting.push(row)
        else this.lookAtPace(row, now, tick)
        // Of some of what happens to a task that runs no event tells.
        if (row.differs) this.touched.add(row.task.head.owner, row.task.head.task_id)
      }
      const foreseeing = foresees(id)
      const moved = foreseeing && this.haveMoved(waiting, now, tick)
      for (const row of waiting)
        if (moved) this.explain(row, now, tick)
        else this.reason(row, now, tick)
      const rest = moved ? turns_if_moved : turns_if_still
      this.rests.set(id, foreseeing ? rest - 1 : (this.rests.get(id) ?? 1) - 1)
    }
  }

  /** Looks how far and how fast one is that runs, or whether it waits for its replica alone. */
  private lookAtPace(row: TaskRow, now: number, tick: number): void {
    const further = row.progress(tick)
    if (row.pace(now, tick) || further) this.progressed.set(row.listed_in ?? '', tick)
    if (row.task.runs.alone_on !== undefined) this.reason(row, now, tick)
  }

  /** Looks when some of those start that wait in a pool, and whether any has moved: what moves one moves its neighbours. */
  private haveMoved(rows: readonly TaskRow[], now: number, tick: number): boolean {
    const first = this.turns++ % one_in
    let moved = false
    for (const [index, row] of rows.entries()) {
      if (index % one_in !== first) continue
      this.explain(row, now, tick)
      moved ||= row.predicted === tick || row.changed === tick
    }
    return moved
  }

  /** Looks which tasks run and whether any is another than before: all of them, and why each waits, or those that were touched. */
  look(now: number, tick: number, whole: boolean): void {
    this.joined = []
    this.dropped = []
    this.reasons.renew()
    if (whole) this.lookAtAll(now, tick)
    else this.touched.take((owner, task_id) => this.lookAt(owner, task_id, now, tick))
  }

  private lookAtAll(now: number, tick: number): void {
    this.touched.clear()
    for (const pool of this.pools.serving()) for (const task of pool.running) this.of(task, now, tick)
    // Who has left its seat, then who has one.
    for (const row of this.rows.values()) if (!runs(row)) this.drop(row)
    for (const row of this.rows.values()) {
      if (runs(row)) this.join(row)
      if (this.isOther(row, tick)) this.explain(row, now, tick)
      else if (!row.running || row.task.runs.alone_on !== undefined) this.reason(row, now, tick)
    }
  }

  private lookAt(owner: string, task_id: string, now: number, tick: number): void {
    const task = this.live.of(owner, task_id)
    const known = this.rows.get(taskKeyOf(owner, task_id))
    if (known !== undefined && known.task !== task) this.drop(known)
    if (task === undefined) return
    const row = task.pool.running.has(task) ? this.of(task, now, tick) : known
    if (row?.task !== task) return
    if (runs(row)) this.join(row)
    else this.drop(row)
    if (this.isOther(row, tick)) this.explain(row, now, tick)
  }

  /** Looks whether a row is another than before, and in which pool it is. */
  private isOther(row: TaskRow, tick: number): boolean {
    const other = row.look(tick)
    const { id } = row.task.pool
    if (!other || row.listed_in === id) return other
    this.unlist(row)
    const list = this.byPool.get(id)
    if (list === undefined) this.byPool.set(id, new Set([row]))
    else list.add(row)
    row.listed_in = id
    return other
  }

  private unlist(row: TaskRow): void {
    if (row.listed_in !== undefined) this.byPool.get(row.listed_in)?.delete(row)
  }

  private forget(row: TaskRow): void {
    this.drop(row)
    this.unlist(row)
  }

  private join(row: TaskRow): void {
    this.seats.seat(row)
    if (this.running.has(row)) return
    this.running.add(row)
    this.joined.push(row)
  }

  private drop(row: TaskRow): void {
    if (!this.running.delete(row)) return
    this.seats.leave(row)
    this.dropped.push(row)
    this.loose.add(row)
  }

  /** Looks why a task waits. @param place what is ahead of it */
  reason(row: TaskRow, now: number, tick: number, place = placeOf(row)): void {
    row.wait(this.reasons.of(row.task, place, now), now, tick)
  }

  /** Looks how far those are that run. */
  progress(tick: number): boolean {
    let other = false
    for (const row of this.running)
      if (row.progress(tick)) {
        this.progressed.set(row.listed_in ?? '', tick)
        other = true
      }
    return other
  }

  /** Rows of each pool in which there is something newer than a tick, the newest of each being told. */
  since(tick: number, newest: ReadonlyMap<string, number>): ReadonlySet<TaskRow>[] {
    const pools: ReadonlySet<TaskRow>[] = []
    for (const [id, at] of newest) if (at > tick) pools.push(this.byPool.get(id) ?? new Set())
    return pools
  }

  /** When the last that waits in a pool starts. */
  lastStart(pool: LiveTask['pool'], now: number): number {
    return this.forecasts.last(pool, now)
  }

  /** Keeps those that are shown, and those that run. */
  keep(isShown: (row: TaskRow) => boolean): void {
    for (const row of this.loose) {
      if (this.running.has(row) || isShown(row)) continue
      this.forget(row)
      const { id } = row.task
      if (this.rows.get(id) === row) this.rows.delete(id)
    }
    this.loose.clear()
  }

  /** When a task starts that waits, and why it does. */
  private explain(row: TaskRow, now: number, tick: number): void {
    const place = placeOf(row)
    this.predictOne(row, place, now, tick)
    this.reason(row, now, tick, place)
  }

  private predictOne(row: TaskRow, place: Place | undefined, now: number, tick: number): void {
    if (place !== undefined && row.predict(this.forecasts.of(row.task, place, now), now, tick)) this.predicted.set(row.listed_in ?? '', tick)
  }
}

const runs = ({ task }: TaskRow): boolean => task.pool.running.has(task)

/** What is ahead of a task that waits. One that has its slot may still wait until nobody else runs there. */
const placeOf = ({ task, running }: TaskRow): Place | undefined => (running ? undefined : task.pool.scheduler.ahead(task))
