import type { EventFormat } from './event-format.ts'
import { endAfter, isContinuable, type PartsEnd } from './continuation.ts'
import type { FrameSource } from './frame-source.ts'
import type { Mark } from './mark.ts'
import { PartLog } from './part-log.ts'
import type { Part } from './part.ts'
import { framesOf, type Frames } from './rendering.ts'
import type { MetricsEvent, StartedEvent, StoredLog, TerminalEvent } from './task-events.ts'

/** Where a reader begins. */
export type ReadPoint = { readonly kind: 'start' } | { readonly kind: 'after_started' } | { readonly kind: 'after'; readonly mark: Mark }

/** Where a reader goes on; one that has everything wants nothing. */
export type ResumePoint = ReadPoint | { readonly kind: 'nothing' }

/** One reader of a task's log, and where it is in it. It pulls; it is told when there may be something to pull. */
interface Reader extends FrameSource {
  readonly format: EventFormat
  started: boolean
  after: Mark | undefined
  part: number
  done: boolean
  /** The newest that were given out. */
  metrics?: MetricsEvent
  readable?: () => void
}

const reset: TerminalEvent = {
  error: {
    code: 'WORKER_RESET',
    message: 'The text before this point was generated anew and differs from what you have. Read the task from its start.',
    retriable: true,
  },
}

/**
 * The event log of one task in memory: its events, which any number of readers go through at their own pace, each in the format of its door.
 * Order: started, parts, the newest metrics, one terminal event. States: open -(freeze)-> frozen -(seal)-> sealed; a frozen log takes
 * no part, a muted one gives none out either, a sealed one is complete.
 */
export class TaskLog {
  private readonly started: StartedEvent
  private parts = new PartLog()
  private end: PartsEnd = 'text'
  private metrics: MetricsEvent | undefined
  /** Parts there were when metrics were reported last. */
  private reported = 0
  private terminal: TerminalEvent | undefined
  private frozen = false
  private muted = false
  private readonly readers = new Set<Reader>()
  /** One for each door that has had a reader, and one for each reader with a format of its own. */
  private renderings: Frames[] = []

  constructor(started: StartedEvent) {
    this.started = started
  }

  /** The log of a finished task. @throws SyntaxError where it is damaged */
  static restore(stored: StoredLog): TaskLog {
    const log = new TaskLog(JSON.parse(stored.started) as StartedEvent)
    log.parts = PartLog.of(stored.parts)
    if (stored.metrics !== '') log.report(JSON.parse(stored.metrics) as MetricsEvent)
    log.seal(JSON.parse(stored.terminal) as TerminalEvent)
    return log
  }

  get partCount(): number {
    return this.parts.count
  }

  /** Whether an engine could go on from what there is. */
  get continuable(): boolean {
    return isContinuable(this.end)
  }

  get hasReaders(): boolean {
    return this.readers.size > 0
  }

  /** Whether somebody is told of metrics. */
  get tellsMetrics(): boolean {
    for (const { format } of this.readers) if (format.metrics !== undefined) return true
    return false
  }

  /** All text so far. */
  get text(): string {
    return this.parts.text
  }

  /** All parts so far. */
  *allParts(): Generator<Part> {
    for (const { part } of this.parts.from(0)) yield part
  }

  /** Adds a part. Ignored once the log is frozen. */
  append(part: Part): void {
    if (this.frozen) return
    const mark = this.parts.push(part)
    this.end = endAfter(this.end, part)
    for (const rendering of this.renderings) rendering.added(part, this.parts.count - 1, mark)
    this.notify()
  }

  /**
   * Replaces the metrics; only the newest are kept.
   * @param patient where parts have come since the last report, these go out with the next one, or with `tell`: a write of their own costs as
   * much as a token's
   */
  report(metrics: MetricsEvent, patient = false): void {
    if (this.terminal !== undefined) return
    this.metrics = metrics
    const flows = this.parts.count > this.reported
    this.reported = this.parts.count
    if (!patient || !flows) this.tell()
  }

  /** Metrics that wait for the next part go out. */
  tell(): void {
    if (!this.muted) this.notify()
  }

  /**
   * From now on no part comes in; the terminal event is on its way to disk.
   * @param mute no part goes out either, also to readers that are behind
   */
  freeze(mute: boolean): void {
    this.frozen = true
    this.muted = mute
  }

  /** Takes `freeze` back: the task goes on after all. */
  thaw(): void {
    this.frozen = false
    this.muted = false
    this.notify()
  }

  /**
   * What is to be stored with this terminal event.
   * @param drop_parts leave the parts out: a canceled task is not replayed
   */
  stored(terminal: TerminalEvent, drop_parts: boolean): StoredLog {
    const { started, metrics, parts } = this
    return {
      started: JSON.stringify(started),
      parts: drop_parts ? '' : parts.joined,
      metrics: metrics === undefined ? '' : JSON.stringify(metrics),
      terminal: JSON.stringify(terminal),
    }
  }

  /**
   * Ends the log. Readers stand on the terminal event when this returns.
   * @param drop_parts readers that are behind skip the parts they have not taken
   */
  seal(terminal: TerminalEvent, drop_parts = false): void {
    if (this.terminal !== undefined) return
    this.frozen = true
    this.muted = false
    this.terminal = terminal
    if (drop_parts) {
      this.parts = new PartLog()
      this.renderings = []
    }
    this.notify()
  }

  /** A new reader from this point on, in a door's format. */
  read(from: ReadPoint, format: EventFormat): FrameSource {
    const reader: Reader = {
      format,
      started: from.kind !== 'start',
      after: from.kind === 'after' ? from.mark : undefined,
      part: 0,
      done: false,
      take: (max_chars) => this.take(reader, max_chars),
      onReadable: (run) => void (reader.readable = run),
      close: () => {
        this.readers.delete(reader)
        if (format.own === true) this.renderings = this.renderings.filter((one) => one.format !== format)
      },
    }
    this.readers.add(reader)
    return reader
  }

  private notify(): void {
    for (const { readable } of this.readers) readable?.()
  }

  private renderingOf(format: EventFormat): Frames {
    for (const rendering of this.renderings) if (rendering.format === format) return rendering
    const rendering = framesOf(format, this.parts)
    this.renderings.push(rendering)
    return rendering
  }

  private take(reader: Reader, max_chars: number): string {
    if (this.muted) return ''
    const rendering = this.renderingOf(reader.format)
    let out = ''
    if (!reader.started) {
      reader.started = true
      out = rendering.startedFrame(this.started)
    }
    if (reader.after !== undefined) {
      const resumed = this.resume(reader, reader.after)
      if (resumed === undefined) return out
      out += resumed
    }
    if (reader.done) return out
    if (reader.part < this.parts.count && out.length < max_chars) {
      const { frames, next } = rendering.from(reader.part, max_chars - out.length)
      reader.part = next
      out += frames
    }
    if (reader.part < this.parts.count) return out
    if (this.metrics !== undefined && reader.metrics !== this.metrics) {
      reader.metrics = this.metrics
      out += rendering.metricsFrame(this.metrics)
    }
    if (this.terminal !== undefined) {
      reader.done = true
      out += rendering.terminalFrame(this.terminal)
    }
    return out
  }

  /** Finds the place after `mark`; undefined while the parts are not there yet. */
  private resume(reader: Reader, mark: Mark): string | undefined {
    const { parts, terminal } = this
    const found = parts.after(mark)
    // A part without text may yet come with that mark: the first one of a tool call.
    const maybeLater = found === undefined && mark.bytes >= parts.position.bytes
    if (maybeLater && terminal === undefined) return undefined
    reader.after = undefined
    reader.part = parts.count
    // The error is what this reader has to know, whatever text it already has.
    if (maybeLater && terminal !== undefined && 'error' in terminal) return ''
    if (found === undefined) {
      reader.done = true
      return reader.format.terminal(reset)
    }
    reader.part = found.next
    return found.rest === undefined ? '' : reader.format.part(found.rest.part, found.rest.index, found.rest.mark)
  }
}
