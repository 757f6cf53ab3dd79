import type { PoolLabels } from './pool-labels.ts'
import type { Estimator } from '../domain/estimator.ts'
import type { Ahead, Scheduler, Schedulable } from '../domain/scheduler.ts'
import type { Prices } from '../domain/budget.ts'
import type { EngineProps } from '../ports/engine.ts'

/** What a task has to know of the pool it waits or runs in. */
export interface TaskPool {
  readonly id: string
  readonly labels: PoolLabels
  readonly prices: Prices | undefined
  readonly props: EngineProps | undefined
  readonly estimator: Estimator
  readonly scheduler: Pick<Scheduler<Schedulable>, 'ahead' | 'depth' | 'remove'>
  /** When a task with this much ahead of it is expected to start, ms from now. */
  predictedStartMs(ahead: Ahead): number
  /** Shows the queue's depth in the metrics. */
  reportDepth(): void
}
