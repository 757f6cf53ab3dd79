import { onTimeChance } from '../../domain/prediction/forecast.ts'
import type { Outlook, PredictionBasis } from '../../domain/prediction/outlook.ts'
import { shapeOf, waiting } from '../../domain/prediction/work.ts'
import type { Place } from '../../domain/queue/ahead.ts'
import type { Pool } from '../pools/pool.ts'
import type { LiveTask } from '../tasks/live-task.ts'

/** When a task that waits starts, and the chance that it ends within its deadline. */
export interface Forecast {
  /** On the daemon's clock, ms. */
  readonly start_at: number
  readonly chance: number
  readonly basis: PredictionBasis
}

/** A chance that is not worked out any further. */
const sure = 0.9995

/** What was worked out of a pool for all that wait in it. */
interface Known {
  readonly outlook: Outlook
  /** When the last one starts, ms from whenever it is asked. */
  last_ms: number | undefined
}

/** Predictions for many tasks: what does not differ from task to task is worked out once, and holds until it is renewed. */
export class Forecasts {
  private readonly known = new WeakMap<Pool<LiveTask>, Known>()

  /** What is asked of a pool from now on is worked out anew. */
  renew(pool: Pool<LiveTask>): void {
    this.known.delete(pool)
  }

  /** @param ahead where it is in its queue */
  of(task: LiveTask, ahead: Place, now: number): Forecast {
    const { pool, head } = task
    const left_ms = task.deadline_at - now
    const { outlook } = this.knownOf(pool)
    const start = pool.predictStart(ahead, task.priority, left_ms, outlook)
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

  private knownOf(pool: Pool<LiveTask>): Known {
    let known = this.known.get(pool)
    if (known === undefined) this.known.set(pool, (known = { outlook: pool.outlook, last_ms: undefined }))
    return known
  }
}

function lastStart(pool: Pool<LiveTask>, outlook: Outlook): number {
  const priority = pool.scheduler.depth('batch') > 0 ? 'batch' : 'interactive'
  const { position, work_ms, may_pass } = pool.scheduler.aheadOfNewcomer({ owner: '', priority })
  return pool.predictStart({ position: Math.max(0, position - 1), work_ms, may_pass }, priority, Infinity, outlook).ms
}
