import type { Place } from '../../domain/queue/ahead.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { Forecasts } from './forecasts.ts'
import { Reasons } from './reasons.ts'
import type { TaskRow } from './task-row.ts'

/** One row in so many is looked at for whether what is expected of a queue is still so, another one each time. */
const one_in = 4

/** Where more than this share of them is expected at another time than before, all are looked at. */
const most_moved = 0.3

/** Turns of a pool from one look at when those start that wait to the next, where that was another than was foreseen, and where it was not. */
const turns_if_moved = 4
const turns_if_still = 8

/** When those start that wait, and why they wait. */
export class Foresight {
  /** By id of a pool, the newest tick in which one that waits there was foreseen anew. */
  readonly predicted = new Map<string, number>()
  /** Of pools, by id: turns until the next one in which starts are worked out. */
  private readonly rests = new Map<string, number>()
  private turns = 0
  private readonly forecasts = new Forecasts()
  private readonly reasons = new Reasons()

  /** Something has happened that may change all of it. */
  renew(): void {
    this.reasons.renew()
  }

  /**
   * The turn of a pool, or of two where one is worked off: in every other one why those wait that wait in it and, in every fourth, or every eighth
   * while all is as it was foreseen, when they start. Those who see it count down meanwhile.
   * @param anew in this one, too
   * @param each in every one, and when each of them starts
   */
  turn(
    pools: readonly Pool<LiveTask>[],
    waiting: readonly TaskRow[],
    { anew, each }: { readonly anew: boolean; readonly each: boolean },
    now: number,
    tick: number,
  ): void {
    const id = pools[0]?.id ?? ''
    const rest = this.rests.get(id) ?? 0
    const foresees = anew || each || rest === 0
    for (const pool of pools) {
      this.reasons.renew(pool)
      if (foresees) this.forecasts.renew(pool)
    }
    const moved = each ? 1 : foresees ? this.shareMoved(waiting, now, tick) : 0
    for (const row of waiting)
      if (moved > most_moved) this.explain(row, now, tick)
      else if (rest % 2 === 0) this.reason(row, now, tick)
    this.rests.set(id, (foresees ? (moved > 0 ? turns_if_moved : turns_if_still) : rest) - 1)
  }

  /** Looks when some of those start that wait in a pool, and how many of them have moved: what moves many moves their neighbours. */
  private shareMoved(rows: readonly TaskRow[], now: number, tick: number): number {
    const first = this.turns++ % one_in
    let [seen, moved] = [0, 0]
    for (const [index, row] of rows.entries()) {
      if (index % one_in !== first) continue
      this.explain(row, now, tick)
      seen++
      if (row.predicted === tick || row.changed === tick) moved++
    }
    return seen === 0 ? 0 : moved / seen
  }

  /** Looks when a task starts that waits, and why it does. */
  explain(row: TaskRow, now: number, tick: number): void {
    const place = placeOf(row)
    if (place !== undefined && row.predict(this.forecasts.of(row.task, place, now), now, tick))
      this.predicted.set(row.listed_in ?? '', tick)
    this.reason(row, now, tick)
  }

  /** Looks why a task waits. */
  reason(row: TaskRow, now: number, tick: number): void {
    row.wait(
      this.reasons.of(row.task, () => placeOf(row), now),
      now,
      tick,
    )
  }

  /** When the last that waits in a pool starts. */
  lastStart(pool: Pool<LiveTask>, now: number): number {
    return this.forecasts.last(pool, now)
  }
}

/** What is ahead of a task that waits. One that has its slot may still wait until nobody else runs there. */
const placeOf = ({ task, running }: TaskRow): Place | undefined => (running ? undefined : task.pool.scheduler.ahead(task))
