import type { PoolLabels } from './pool-labels.ts'
import type { Estimator } from '../../domain/prediction/estimator.ts'
import type { Start } from '../../domain/prediction/forecast.ts'
import type { Ahead, Scheduler, Schedulable } from '../../domain/queue/scheduler.ts'
import type { Prices } from '../../domain/accounts/budget.ts'
import type { Priority } from '../../domain/task.ts'
import type { EngineProps } from '../../ports/engine.ts'

/** What a task has to know of the pool it waits or runs in. */
export interface TaskPool {
  readonly id: string
  readonly labels: PoolLabels
  readonly prices: Prices | undefined
  readonly props: EngineProps | undefined
  readonly estimator: Estimator
  readonly scheduler: Pick<Scheduler<Schedulable>, 'ahead' | 'depth' | 'remove'>
  /** When a task of this class with this much ahead of it is expected to start. */
  predictStart(ahead: Ahead, priority: Priority): Start
  /** Shows the queue's depth in the metrics. */
  reportDepth(): void
}
