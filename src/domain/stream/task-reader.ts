import type { Mark } from './mark.ts'
import type { MetricsEvent } from './task-events.ts'

/** Where a reader is in a task's log. */
export interface Cursor {
  started: boolean
  after: Mark | undefined
  part: number
  /** The newest that were given out. */
  metrics: MetricsEvent | undefined
  done: boolean
}

/** One reader of a task's log. It pulls; it is told when there may be something to pull. */
export class TaskReader {
  private readonly cursor: Cursor
  private readonly pull: (cursor: Cursor, max_chars: number) => string
  private readonly leave: () => void
  private readable: (() => void) | undefined

  constructor(start: Pick<Cursor, 'started' | 'after'>, pull: (cursor: Cursor, max_chars: number) => string, leave: () => void) {
    this.cursor = { ...start, part: 0, metrics: undefined, done: false }
    this.pull = pull
    this.leave = leave
  }

  /** The terminal frame was taken. */
  get done(): boolean {
    return this.cursor.done
  }

  /** Frames that may go out now, joined, about `max_chars` at most; empty while there are none. */
  take(max_chars: number): string {
    return this.pull(this.cursor, max_chars)
  }

  /** `run` is called, synchronously, each time there may be something to take. */
  onReadable(run: () => void): void {
    this.readable = run
  }

  /** Has to be called when the reader is not read any more. */
  close(): void {
    this.readable = undefined
    this.leave()
  }

  /** For the log. */
  notify(): void {
    this.readable?.()
  }
}
