/** A request, in milliseconds times requests a minute. */
const request = 60_000

/**
 * Requests a minute, evenly spread with a burst of one minute's worth: the generic cell rate algorithm (ITU-T I.371), as a bucket that each
 * request fills and time empties. In units in which both are whole numbers, so that nothing is lost. Time comes in as an argument.
 */
export class RateLimit {
  private readonly per_minute: number
  private level = 0
  /** When the level was that, ms since the epoch. */
  private at = 0

  constructor(per_minute: number) {
    this.per_minute = per_minute
  }

  /** Counts a request; returns 0, or how long to wait (ms) where it is one too many, which is then not counted. */
  take(now: number): number {
    const { per_minute } = this
    const level = Math.max(0, this.level - Math.max(0, now - this.at) * per_minute)
    const over = level + request - per_minute * request
    if (over > 0) return Math.ceil(over / per_minute)
    this.level = level + request
    this.at = Math.max(this.at, now)
    return 0
  }
}
