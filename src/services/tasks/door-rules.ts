import type { Kept } from '../../domain/task.ts'

/** What a door of another API wants of a task beside its request. */
export interface DoorRules {
  /** Of a task that does not say `max_tokens`: at most so many, and what the context and the budgets have left where that is less. */
  readonly most_tokens?: number
  /** What it keeps with the task. */
  readonly kept?: Kept
  /**
   * It is a line of a batch: it counts against no rate, leaves half of the queue to others, its session is kept by nobody, and being told to wait
   * is no refusal.
   */
  readonly background?: boolean
}
