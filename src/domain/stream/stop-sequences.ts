/**
 * Finds stop sequences in a stream of text pieces and cuts the stream before the one that is complete first (the longest, where several
 * end there), so that the text does not depend on how it came in pieces.
 * Holds back only what may yet become a stop sequence, so text goes out as early as it can.
 */
export class StopSequences {
  private readonly stops: readonly string[]
  private readonly longest: number
  private held: string
  /** Characters at the beginning of what is held that are out all the same. */
  private out: number
  private found: string | undefined

  /** @param before text that is out already, and in which a stop sequence may have begun */
  constructor(stops: readonly string[] = [], before = '') {
    this.stops = stops.filter((stop) => stop.length > 0)
    this.longest = Math.max(0, ...this.stops.map((stop) => stop.length))
    this.out = this.heldLength(before)
    this.held = before.slice(before.length - this.out)
  }

  /** Whether a stop sequence has been seen; nothing comes out after it. */
  get stopped(): boolean {
    return this.found !== undefined
  }

  /** The one that was seen, as engines tell it; nothing where there was none. */
  get told(): { readonly stop_sequence?: string } {
    return this.found === undefined ? {} : { stop_sequence: this.found }
  }

  /** Takes a piece and returns the text that may go out now (possibly empty). */
  push(piece: string): string {
    if (this.found !== undefined) return ''
    if (this.longest === 0) return piece
    const text = this.held + piece
    let cut = -1
    let found: string | undefined
    let end = Infinity
    for (const stop of this.stops) {
      const at = text.indexOf(stop)
      const done = at + stop.length
      if (at < 0 || done > end || (done === end && at > cut)) continue
      cut = at
      end = done
      found = stop
    }
    if (found !== undefined) {
      this.found = found
      this.held = ''
      return this.fresh(text.slice(0, cut))
    }
    const keep = this.heldLength(text)
    this.held = text.slice(text.length - keep)
    return this.fresh(text.slice(0, text.length - keep))
  }

  /** The text still held back, to be sent when the stream ends without a stop sequence. */
  flush(): string {
    const rest = this.held
    this.held = ''
    return this.fresh(rest)
  }

  /** What of a text is not out yet. */
  private fresh(text: string): string {
    const fresh = text.slice(this.out)
    this.out = Math.max(0, this.out - text.length)
    return fresh
  }

  /** Length of the longest suffix of `text` that is a proper prefix of a stop sequence. */
  private heldLength(text: string): number {
    for (let length = Math.min(this.longest - 1, text.length); length > 0; length--) {
      const suffix = text.slice(text.length - length)
      if (this.stops.some((stop) => stop.length > length && stop.startsWith(suffix))) return length
    }
    return 0
  }
}
