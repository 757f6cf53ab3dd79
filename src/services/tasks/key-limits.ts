import { DomainError } from '../../domain/errors.ts'
import { startMs } from '../../domain/prediction/forecast.ts'
import type { Priority } from '../../domain/task.ts'
import type { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'

/** What tasks of one key may be; what is left out is not limited. */
export interface LimitsOfKey {
  readonly queued_tasks?: number
  readonly top_priority: Priority
}

/** What each key may ask for. */
export class KeyLimits {
  private readonly limits: ReadonlyMap<string, LimitsOfKey>
  private readonly live: LiveTasks

  /** @param limits by name of the key */
  constructor(limits: ReadonlyMap<string, LimitsOfKey>, live: LiveTasks) {
    this.limits = limits
    this.live = live
  }

  /** The highest priority the key may ask for. */
  topPriority(owner: string): Priority {
    return this.limits.get(owner)?.top_priority ?? 'interactive'
  }

  /** @throws DomainError forbidden where the key may not ask for this priority */
  checkPriority(owner: string, priority: Priority): void {
    if (priority === 'interactive' && this.topPriority(owner) === 'batch')
      throw new DomainError('forbidden', `body.priority: the key ${owner} may not go above batch`)
  }

  /**
   * Whether the key may have one more task waiting. If not, it may when the first of those that wait has started.
   * @throws DomainError rate_limited
   */
  checkWaiting(owner: string): void {
    const most = this.limits.get(owner)?.queued_tasks
    if (most === undefined || this.live.waiting(owner) < most) return
    const retry_after_ms = Math.max(1, firstStart(this.live.all(owner)))
    throw new DomainError('rate_limited', `The key ${owner} has its ${most} tasks waiting.`, { retry_after_ms, policy_label: 'rate-limit' })
  }
}

/** When the first of these tasks starts that wait, ms from now. In each queue that is the oldest of its class. */
function firstStart(tasks: Iterable<LiveTask>): number {
  const seen = new Set<string>()
  let first = Infinity
  for (const task of tasks) {
    const { pool, priority } = task
    if (seen.has(`${priority} ${pool.id}`)) continue
    const ahead = pool.scheduler.ahead(task)
    if (ahead === undefined) continue
    seen.add(`${priority} ${pool.id}`)
    first = Math.min(first, startMs(pool.predictStart(ahead, priority)))
  }
  return Number.isFinite(first) ? first : 0
}
