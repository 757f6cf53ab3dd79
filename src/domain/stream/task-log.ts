import { emptyMark, extendMark, formatMark, parseMark, splitAtByte, type TextMark } from './text-hash.ts'
import { endId, errorFrame, parseTokenFrame, startedId, tokenFrame } from './frames.ts'
import type { StoredLog } from '../task.ts'
import { TaskReader, type Cursor } from './task-reader.ts'
import { TokenFrames } from './token-frames.ts'

/** Where a reader goes on; made from `Last-Event-ID`. */
export type ResumePoint =
  | { readonly kind: 'start' }
  | { readonly kind: 'after_started' }
  | { readonly kind: 'after'; readonly mark: TextMark }
  | { readonly kind: 'nothing' }

/** Undefined where it is not an id this daemon writes. */
export function parseResumePoint(last_event_id: string | undefined): ResumePoint | undefined {
  if (last_event_id === undefined || last_event_id === '') return { kind: 'start' }
  if (last_event_id === startedId) return { kind: 'after_started' }
  if (last_event_id === endId) return { kind: 'nothing' }
  const mark = parseMark(last_event_id)
  return mark === undefined ? undefined : { kind: 'after', mark }
}

const resetFrame = errorFrame({
  code: 'WORKER_RESET',
  message: 'The text before this point was generated anew and differs from what you have. Read the task from its start.',
  retriable: true,
})

/**
 * The event log of one task in memory: frames, built once, that any number of readers go through at their own pace.
 * Order: started, tokens, the newest metrics, one terminal frame. States: open -(freeze)-> frozen -(seal)-> sealed; a frozen log takes
 * no token, a muted one gives none out either, a sealed one is complete.
 */
export class TaskLog {
  readonly started: string
  private tokens = new TokenFrames()
  private metrics = ''
  private metricsVersion = 0
  private terminal: string | undefined
  private frozen = false
  private muted = false
  private readonly readers = new Set<TaskReader>()

  constructor(started: string) {
    this.started = started
  }

  /** The log of a finished task. */
  static restore(stored: StoredLog): TaskLog {
    const log = new TaskLog(stored.started)
    log.tokens = TokenFrames.of(stored.tokens)
    if (stored.metrics !== '') log.report(stored.metrics)
    log.seal(stored.terminal)
    return log
  }

  get tokenCount(): number {
    return this.tokens.count
  }

  get hasReaders(): boolean {
    return this.readers.size > 0
  }

  get isFrozen(): boolean {
    return this.frozen
  }

  /** All text so far. */
  get text(): string {
    return this.tokens.text
  }

  /** The frames so far: started, tokens, the newest metrics. */
  get frames(): string[] {
    return [this.started, ...this.tokens.list, ...(this.metrics === '' ? [] : [this.metrics])]
  }

  /** Adds a token: whole code points, not empty. Ignored once the log is frozen. */
  append(text: string): void {
    if (this.frozen) return
    this.tokens.push(text)
    this.wake()
  }

  /** Replaces the metrics frame; only the newest is kept. */
  report(metrics: string): void {
    if (this.terminal !== undefined) return
    this.metrics = metrics
    this.metricsVersion++
    if (!this.muted) this.wake()
  }

  /**
   * From now on no token comes in; the terminal frame is on its way to disk.
   * @param mute no token goes out either, also to readers that are behind
   */
  freeze(mute: boolean): void {
    this.frozen = true
    this.muted = mute
  }

  /** Takes `freeze` back: the task goes on after all. */
  thaw(): void {
    this.frozen = false
    this.muted = false
    this.wake()
  }

  /**
   * What is to be stored with this terminal frame.
   * @param drop_tokens leave the text out: a canceled task is not replayed
   */
  stored(terminal: string, drop_tokens: boolean): StoredLog {
    return { started: this.started, tokens: drop_tokens ? '' : this.tokens.joined, metrics: this.metrics, terminal }
  }

  /**
   * Ends the log. Readers stand on the terminal frame when this returns.
   * @param drop_tokens readers that are behind skip the tokens they have not taken
   */
  seal(terminal: string, drop_tokens = false): void {
    if (this.terminal !== undefined) return
    this.frozen = true
    this.muted = false
    this.terminal = terminal
    if (drop_tokens) this.tokens = new TokenFrames()
    this.wake()
  }

  /** A new reader from this point on. */
  read(from: Exclude<ResumePoint, { kind: 'nothing' }>): TaskReader {
    const start = { started: from.kind !== 'start', after: from.kind === 'after' ? from.mark : undefined }
    const reader: TaskReader = new TaskReader(
      start,
      (cursor, max_chars) => this.take(cursor, max_chars),
      () => this.readers.delete(reader),
    )
    this.readers.add(reader)
    return reader
  }

  private wake(): void {
    for (const reader of this.readers) reader.wake()
  }

  private take(cursor: Cursor, max_chars: number): string {
    if (this.muted) return ''
    let out = ''
    if (!cursor.started) {
      cursor.started = true
      out = this.started
    }
    if (cursor.after !== undefined) {
      const resumed = this.resume(cursor, cursor.after)
      if (resumed === undefined) return out
      out += resumed
    }
    if (cursor.done) return out
    if (cursor.token < this.tokens.count && out.length < max_chars) {
      const { frames, next } = this.tokens.from(cursor.token, max_chars - out.length)
      cursor.token = next
      out += frames
    }
    if (cursor.token < this.tokens.count) return out
    if (cursor.metrics !== this.metricsVersion) {
      cursor.metrics = this.metricsVersion
      out += this.metrics
    }
    if (this.terminal !== undefined) {
      cursor.done = true
      out += this.terminal
    }
    return out
  }

  /** Finds the place after `mark`; undefined while the text is not there yet. */
  private resume(cursor: Cursor, mark: TextMark): string | undefined {
    const { tokens } = this
    const beyond = mark.bytes > tokens.mark.bytes
    if (beyond && this.terminal === undefined) return undefined
    cursor.after = undefined
    cursor.token = tokens.count
    // The error is what this reader has to know, whatever text it already has.
    if (beyond && isError(this.terminal)) return ''
    if (mark.bytes === 0 && mark.hash === emptyMark.hash) {
      cursor.token = 0
      return ''
    }
    const index = this.tokenEndingAtOrAfter(mark.bytes)
    const end = tokens.markAt(index)
    cursor.token = index + 1
    if (end.bytes === mark.bytes && end.hash === mark.hash) return ''
    if (end.bytes > mark.bytes) {
      const token = parseTokenFrame(tokens.at(index))
      const begin = tokens.markAt(index - 1)
      const split = splitAtByte(token.text, mark.bytes - begin.bytes)
      if (split !== undefined && formatMark(extendMark(begin, split.before)) === formatMark(mark))
        return tokenFrame(end, split.after, token.index)
    }
    cursor.done = true
    return resetFrame
  }

  private tokenEndingAtOrAfter(bytes: number): number {
    let low = 0
    let high = this.tokens.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.tokens.markAt(middle).bytes < bytes) low = middle + 1
      else high = middle
    }
    return low
  }
}

const isError = (terminal: string | undefined): boolean => terminal?.startsWith(`id: ${endId}\nevent: error\n`) === true
