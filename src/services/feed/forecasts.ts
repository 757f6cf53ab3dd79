import { onTimeChance, type Start } from '../../domain/prediction/forecast.ts'
import type { Outlook, PredictionBasis } from '../../domain/prediction/outlook.ts'
import { shapeOf, waiting } from '../../domain/prediction/work.ts'
import type { Ahead, Place } from '../../domain/queue/ahead.ts'
import type { Priority } from '../../domain/task.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'

/** When a task that waits starts, and the chance that it ends within its deadline. */
export interface Forecast {
  /** On the daemon's clock, ms. */
  readonly start_at: number
  readonly chance: number
  readonly basis: PredictionBasis
}

/** A pool with more running tasks is asked for some places only: each answer goes through all that run. */
const most_exact = 32
/** A chance that is not worked out any further. */
const sure = 0.9995
/** In how many turns those pools are looked at. */
const turns = 4
/** From one of those places to the next. */
const ratio = 2

/** What was worked out of a pool for all that wait in it. */
interface Known {
  readonly outlook: Outlook
  readonly starts: Map<string, { readonly position: number; readonly start: Start }>
  /** When the last one starts, ms from whenever it is asked. */
  last_ms: number | undefined
}

/** Predictions for many tasks: what does not differ from task to task is worked out once, and holds until it is renewed. */
export class Forecasts {
  private readonly known = new Map<Pool<LiveTask>, Known>()
  private turn = 0

  /** Works out anew what is to be asked of some pools: those with few running tasks, and of the others each in its turn. Returns which. */
  renew(pools: readonly Pool<LiveTask>[]): ReadonlySet<Pool<LiveTask>> {
    this.turn = (this.turn + 1) % turns
    const due = new Set(pools.filter(({ running }, index) => running.size <= most_exact || index % turns === this.turn))
    for (const pool of this.known.keys()) if (due.has(pool) || !pools.includes(pool)) this.known.delete(pool)
    return due
  }

  /** @param ahead where it is in its queue */
  of(task: LiveTask, ahead: Place, now: number): Forecast {
    const { pool, head } = task
    const left_ms = task.deadline_at - now
    const { outlook } = this.knownOf(pool)
    const start = this.start(pool, ahead, task.priority, left_ms)
    const shape = shapeOf(head, head.prompt_tokens)
    // Most are in time without a doubt, and which length how likely is makes no difference.
    const rough = onTimeChance(start, outlook.left(shape, waiting), left_ms)
    const chance = rough > sure ? rough : outlook.onTimeProbability(start, shape, waiting, left_ms)
    return { start_at: now + start.ms, chance: Math.round(chance * 1e4) / 1e4, basis: outlook.basis }
  }

  /** When the last one of those that wait starts, on the daemon's clock, ms. */
  last(pool: Pool<LiveTask>, now: number): number {
    const known = this.knownOf(pool)
    known.last_ms ??= lastStart(pool, known.outlook)
    return now + known.last_ms
  }

  private start(pool: Pool<LiveTask>, ahead: Ahead, priority: Priority, left_ms: number): Start {
    const { outlook, starts } = this.knownOf(pool)
    if (pool.running.size <= most_exact) return pool.predictStart(ahead, priority, left_ms, outlook)
    const place = `${priority} ${Math.floor(Math.log(ahead.position + 1) / Math.log(ratio))}`
    const near = starts.get(place)
    if (near === undefined) {
      const start = pool.predictStart(ahead, priority, left_ms, outlook)
      starts.set(place, { position: ahead.position, start })
      return start
    }
    // With many slots the wait grows with the place.
    const stretch = (ahead.position + 1) / (near.position + 1)
    const { ms, mean, variance } = near.start
    return { ms: ms * stretch, mean: mean * stretch, variance: variance * stretch * stretch }
  }

  private knownOf(pool: Pool<LiveTask>): Known {
    let known = this.known.get(pool)
    if (known === undefined) this.known.set(pool, (known = { outlook: pool.outlook, starts: new Map(), last_ms: undefined }))
    return known
  }
}

function lastStart(pool: Pool<LiveTask>, outlook: Outlook): number {
  const priority = pool.scheduler.depth('batch') > 0 ? 'batch' : 'interactive'
  const { position, work_ms, may_pass } = pool.scheduler.aheadOfNewcomer({ owner: '', priority })
  return pool.predictStart({ position: Math.max(0, position - 1), work_ms, may_pass }, priority, Infinity, outlook).ms
}
