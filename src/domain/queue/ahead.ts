/** What is ahead of a task if nobody else comes. */
export interface Ahead {
  /** Tasks that will be dispatched before it. */
  readonly position: number
  /** Their expected service time, ms. */
  readonly work_ms: number
  /** Most tasks of the other class that may come later and be dispatched before it all the same. */
  readonly may_pass: number
}

/** The same of a task in a queue. */
export interface Place extends Ahead {
  /** Tasks of the other class that will be dispatched before it. */
  readonly passing: number
}
