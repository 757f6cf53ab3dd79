/** Stops a timer; a second call does nothing. */
export type CancelTimer = () => void

/** Time, injected everywhere so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions (what is stored is floored); never goes backwards while the process runs. */
  now(): number
  /** Calls `run` once after `delay_ms`. Does not keep the process alive. */
  after(delay_ms: number, run: () => void): CancelTimer
  /** Calls `run` every `period_ms`. Does not keep the process alive. */
  every(period_ms: number, run: () => void): CancelTimer
}
