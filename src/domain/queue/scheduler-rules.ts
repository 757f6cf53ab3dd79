/** What a pool's queue is held to. */
export interface SchedulerRules {
  /** Most tasks that wait. */
  readonly capacity: number
  readonly full_policy: 'reject' | 'drop-lru'
  /** At least one dispatch in this many goes to waiting batch work. */
  readonly batch_every: number
}
