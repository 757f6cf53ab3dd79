import type { Pools } from '../pools/pools.ts'
import { Newest } from '../../domain/feed/newest.ts'
import { OwnedMap } from '../../domain/owned-map.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { LiveTasks } from '../tasks/live-tasks.ts'
import { Foresight } from './foresight.ts'
import { Seats } from './seats.ts'
import { TaskRow } from './task-row.ts'
import { Touched } from './touched.ts'

/** Changes that are remembered: who has had none of them looks at all rows. */
const most_changes = 1024

/** Up to so many rows in all, each of them is looked at in every turn: how far it is, and when it starts. */
const few = 100
/** Where there are more, how far one is that runs is looked at again no sooner than this, ms: in every other turn. */
const pace_ms = 1500

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
  private readonly rows = new OwnedMap<TaskRow>()
  /** By id of the pool in which each was seen. */
  private readonly byPool = new Map<string, Set<TaskRow>>()
  private readonly seats = new Seats<TaskRow>()
  /** Tasks that are looked at with the next tick. */
  readonly touched = new Touched()
  /** By id of a pool, the newest tick in which any that runs there was further, or had another rate. */
  readonly progressed = new Map<string, number>()
  readonly foresight = new Foresight()
  /** Those that have changed. */
  readonly changes = new Newest<TaskRow>(most_changes)
  /** Ids of pools whose turn it is. */
  readonly due = new Set<string>()
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
    const known = this.find(task.head.owner, task.head.task_id)
    // The same id may have named another task before this one.
    if (known?.task === task) return known
    const row = new TaskRow(this.handleOf(task), task, tick, this.changes)
    if (known !== undefined) this.forget(known)
    this.rows.set(task.owner, task.head.task_id, row)
    this.loose.add(row)
    this.isOther(row, tick)
    this.foresight.explain(row, now, tick)
    return row
  }

  /** The row of a task that has just ended, if it was shown. */
  find(owner: string, task_id: string): TaskRow | undefined {
    return this.rows.get(owner, task_id)
  }

  private handleOf(task: LiveTask): number {
    const known = this.handles.get(task)
    if (known !== undefined) return known
    const handle = this.nextHandle()
    this.handles.set(task, handle)
    return handle
  }

  /**
   * Looks ahead in pools whose turn it is, until the next time: how far and how fast those are that run, why those wait that wait and when they start.
   * @param anew after nobody has for a while
   */
  lookAhead(due: readonly string[], anew: boolean, now: number, tick: number): void {
    const rows = [...this.byPool.values()].reduce((sum, { size }) => sum + size, 0)
    for (const id of due) {
      this.due.add(id)
      const waiting: TaskRow[] = []
      for (const row of this.byPool.get(id) ?? []) {
        if (!row.running) waiting.push(row)
        else if (rows <= few || now - row.paced_at >= pace_ms) this.lookAtPace(row, now, tick)
        else continue
        // Of some of what happens to a task that runs no event tells.
        if (row.differs) this.touched.add(row.task.head.owner, row.task.head.task_id)
      }
      const pools = this.pools.serving().filter((pool) => pool.id === id)
      this.foresight.turn(pools, waiting, { anew, each: rows <= few }, now, tick)
    }
  }

  /** Looks how far and how fast one is that runs, or whether it waits for its replica alone. */
  private lookAtPace(row: TaskRow, now: number, tick: number): void {
    if (row.pace(now, tick)) this.progressed.set(row.listed_in ?? '', tick)
    if (row.task.runs.alone_on !== undefined) this.foresight.reason(row, now, tick)
  }

  /** Looks which tasks run and whether any is another than before: all of them, and why each waits, or those that were touched. */
  look(now: number, tick: number, whole: boolean): void {
    this.joined = []
    this.dropped = []
    if (whole) this.lookAtAll(now, tick)
    else this.touched.take((owner, task_id) => this.lookAt(owner, task_id, now, tick))
  }

  private lookAtAll(now: number, tick: number): void {
    this.touched.clear()
    this.foresight.renew()
    for (const pool of this.pools.serving()) for (const task of pool.running) this.of(task, now, tick)
    // Who has left its seat, then who has one.
    for (const row of this.rows.values()) if (!runs(row)) this.drop(row)
    for (const row of this.rows.values()) {
      if (runs(row)) this.join(row)
      if (this.isOther(row, tick)) this.foresight.explain(row, now, tick)
      else if (!row.running || row.task.runs.alone_on !== undefined) this.foresight.reason(row, now, tick)
    }
  }

  private lookAt(owner: string, task_id: string, now: number, tick: number): void {
    const task = this.live.of(owner, task_id)
    const known = this.find(owner, task_id)
    if (known !== undefined && known.task !== task) this.drop(known)
    if (task === undefined) return
    const row = task.pool.running.has(task) ? this.of(task, now, tick) : known
    if (row?.task !== task) return
    if (runs(row)) this.join(row)
    else this.drop(row)
    if (this.isOther(row, tick)) this.foresight.explain(row, now, tick)
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

  /** Keeps those that are shown, and those that run. */
  keep(isShown: (row: TaskRow) => boolean): void {
    for (const row of this.loose) {
      if (this.running.has(row) || isShown(row)) continue
      this.forget(row)
      this.rows.delete(row.task.owner, row.task.head.task_id, row)
    }
    this.loose.clear()
  }
}

const runs = ({ task }: TaskRow): boolean => task.pool.running.has(task)
