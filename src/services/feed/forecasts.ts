import type { Start } from '../../domain/prediction/forecast.ts'
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
/** From one of those places to the next. */
const ratio = 1.5

/** Predictions of one moment for many tasks: what does not differ from task to task is worked out once. */
export class Forecasts {
  private readonly now: number
  private readonly outlooks = new Map<Pool<LiveTask>, Outlook>()
  private readonly starts = new Map<Pool<LiveTask>, Map<string, { readonly position: number; readonly start: Start }>>()

  constructor(now: number) {
    this.now = now
  }

  /** @param ahead where it is in its queue */
  of(task: LiveTask, ahead: Place): Forecast {
    const { pool, head } = task
    const left_ms = task.deadline_at - this.now
    const outlook = this.outlookOf(pool)
    const start = this.start(pool, ahead, task.priority, left_ms)
    const chance = outlook.onTimeProbability(start, shapeOf(head, head.prompt_tokens), waiting, left_ms)
    return { start_at: this.now + start.ms, chance: Math.round(chance * 1e4) / 1e4, basis: outlook.basis }
  }

  /** When the last one of those that wait starts, on the daemon's clock, ms. */
  last(pool: Pool<LiveTask>): number {
    const priority = pool.scheduler.depth('batch') > 0 ? 'batch' : 'interactive'
    const { position, work_ms, may_pass } = pool.scheduler.aheadOfNewcomer({ owner: '', priority })
    const ahead = { position: Math.max(0, position - 1), work_ms, may_pass }
    return this.now + pool.predictStart(ahead, priority, Infinity, this.outlookOf(pool)).ms
  }

  private start(pool: Pool<LiveTask>, ahead: Ahead, priority: Priority, left_ms: number): Start {
    const exact = (): Start => pool.predictStart(ahead, priority, left_ms, this.outlookOf(pool))
    if (pool.running.size <= most_exact) return exact()
    const known = this.starts.get(pool) ?? new Map<string, { readonly position: number; readonly start: Start }>()
    this.starts.set(pool, known)
    const place = `${priority} ${Math.floor(Math.log(ahead.position + 1) / Math.log(ratio))}`
    const near = known.get(place)
    if (near === undefined) {
      const start = exact()
      known.set(place, { position: ahead.position, start })
      return start
    }
    // With many slots the wait grows with the place.
    const stretch = (ahead.position + 1) / (near.position + 1)
    const { ms, mean, variance } = near.start
    return { ms: ms * stretch, mean: mean * stretch, variance: variance * stretch * stretch }
  }

  private outlookOf(pool: Pool<LiveTask>): Outlook {
    const known = this.outlooks.get(pool)
    if (known !== undefined) return known
    const { outlook } = pool
    this.outlooks.set(pool, outlook)
    return outlook
  }
}
