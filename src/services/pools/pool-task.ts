import type { RunningWork } from '../../domain/prediction/work.ts'
import type { Schedulable } from '../../domain/queue/scheduler.ts'
import type { AcceptedTask } from '../../domain/task.ts'

/** What a pool has to know of the tasks that wait and run in it. */
export interface PoolTask extends Schedulable {
  readonly accepted: AcceptedTask
  /** Milliseconds since the epoch. */
  readonly accepted_on: number
  /** What there is to do of it, and how far it is. */
  workAt(now: number): RunningWork
}
