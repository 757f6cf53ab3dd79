import type { EventFormat } from './event-format.ts'
import type { Mark } from './mark.ts'
import { perBlock, type PartLog } from './part-log.ts'
import type { Part } from './part.ts'
import type { MetricsEvent, StartedEvent, TerminalEvent } from './task-events.ts'

/** Most characters built ahead of the reader: what a stalled one has not taken stays in the log as parts. */
const most_chars = 64 * 1024

/** A task's events as one door writes them. */
export interface Frames {
  readonly format: EventFormat
  /** A part was added. */
  added(part: Part, index: number, mark: Mark): void
  startedFrame(event: StartedEvent): string
  metricsFrame(event: MetricsEvent): string
  terminalFrame(event: TerminalEvent): string
  /** Frames of the parts from this one on, joined, about `max_chars` at most. @returns also the index of the part that comes next */
  from(index: number, max_chars: number): { readonly frames: string; readonly next: number }
}

/** The frames of these parts in a door's format. */
export const framesOf = (format: EventFormat, parts: PartLog): Frames =>
  format.own === true ? new OwnFrames(format, parts) : new Rendering(format, parts)

/** Frames for many readers: each is built once, when the first reader comes to it, and kept for the others. */
class Rendering implements Frames {
  readonly format: EventFormat
  private readonly parts: PartLog
  /** Each `perBlock` frames back to back, and where each of them ends: a frame may be several events of its door, or none. */
  private readonly blocks: { readonly frames: string; readonly ends: Uint32Array }[] = []
  /** Frames since the last block. */
  private open: string[] = []
  /** Parts that have their frame. */
  private count = 0
  private started: string | undefined
  private metrics: { readonly event: MetricsEvent; readonly frame: string } | undefined
  private terminal: string | undefined

  constructor(format: EventFormat, parts: PartLog) {
    this.format = format
    this.parts = parts
  }

  /** A part was added; its frame is built now where those before it have theirs. */
  added(part: Part, index: number, mark: Mark): void {
    if (index === this.count) this.push(this.format.part(part, index, mark))
  }

  startedFrame(event: StartedEvent): string {
    return (this.started ??= this.format.started(event))
  }

  metricsFrame(event: MetricsEvent): string {
    if (this.metrics?.event !== event) this.metrics = { event, frame: this.format.metrics?.(event) ?? '' }
    return this.metrics.frame
  }

  terminalFrame(event: TerminalEvent): string {
    return (this.terminal ??= this.format.terminal(event))
  }

  /**
   * Frames of the parts from this one on, joined: at least one if there is one, and none that begins after `max_chars`.
   * @returns also the index of the part that comes next
   */
  from(index: number, max_chars: number): { readonly frames: string; readonly next: number } {
    let frames = ''
    let next = index
    while (next < this.parts.count && frames.length < max_chars) {
      if (next >= this.count) this.build(next + perBlock)
      const whole = next % perBlock === 0 ? this.blocks[next / perBlock]?.frames : undefined
      if (whole !== undefined && frames.length + whole.length <= max_chars) {
        frames += whole
        next += perBlock
      } else frames += this.at(next++)
    }
    return { frames, next }
  }

  /** Builds the frames that are missing, up to an index. */
  private build(to: number): void {
    for (const { part, index, mark } of this.parts.from(this.count)) {
      if (index >= to) return
      this.push(this.format.part(part, index, mark))
    }
  }

  private push(frame: string): void {
    this.count++
    if (this.open.push(frame) < perBlock) return
    const ends = new Uint32Array(perBlock)
    let end = 0
    this.open.forEach((one, i) => (ends[i] = end += one.length))
    this.blocks.push({ frames: this.open.join(''), ends })
    this.open = []
  }

  private at(index: number): string {
    const block = this.blocks[Math.floor(index / perBlock)]
    const i = index % perBlock
    return block === undefined ? (this.open[i] ?? '') : block.frames.slice(i === 0 ? 0 : block.ends[i - 1], block.ends[i])
  }
}

/** Frames for one reader: each is built once, in order, and forgotten when it is taken. */
class OwnFrames implements Frames {
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
