/** Whoever does not scroll on for so long looks at what is there, ms. */
export const rest_ms = 150

/**
 * Whether a list is only passed by: from one moment to the next it moves by more than half of what is seen, and again before anybody could have
 * read a row. One leap, such as a page down, is none.
 */
export class Passing {
  private from = 0
  private leapt_at = -Infinity

  /** The list begins at this row now, of which so many are seen. @param now ms since any moment */
  moved(from: number, seen: number, now: number): boolean {
    const leaps = Math.abs(from - this.from) > seen / 2
    const again = now - this.leapt_at < 2 * rest_ms
    this.from = from
    if (leaps) this.leapt_at = now
    return leaps && again
  }
}
