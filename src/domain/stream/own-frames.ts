import type { EventFormat } from './event-format.ts'
import type { Mark } from './mark.ts'
import type { PartLog } from './part-log.ts'
import type { Part } from './part.ts'
import type { Frames } from './rendering.ts'
import type { MetricsEvent, StartedEvent, TerminalEvent } from './task-events.ts'

/** Most characters built ahead of the reader: what a stalled one has not taken stays in the log as parts. */
const most_chars = 64 * 1024

/** Frames for one reader: each is built once, in order, and forgotten when it is taken. */
export class OwnFrames implements Frames {
  readonly format: EventFormat
  private readonly parts: PartLog
  private ahead = ''
  /** Parts that have had their frame. */
  private count = 0

  constructor(format: EventFormat, parts: PartLog) {
    this.format = format
    this.parts = parts
  }

  added(part: Part, index: number, mark: Mark): void {
    if (index !== this.count || this.ahead.length >= most_chars) return
    this.ahead += this.format.part(part, index, mark)
    this.count++
  }

  startedFrame(event: StartedEvent): string {
    return this.format.started(event)
  }

  metricsFrame(event: MetricsEvent): string {
    return this.format.metrics?.(event) ?? ''
  }

  terminalFrame(event: TerminalEvent): string {
    return this.format.terminal(event)
  }

  /** @param _index the reader is where it stopped */
  from(_index: number, max_chars: number): { readonly frames: string; readonly next: number } {
    let frames = this.ahead
    this.ahead = ''
    if (this.count < this.parts.count && frames.length < max_chars)
      for (const { part, index, mark } of this.parts.from(this.count)) {
        frames += this.format.part(part, index, mark)
        this.count++
        if (frames.length >= max_chars) break
      }
    return { frames, next: this.count }
  }
}
