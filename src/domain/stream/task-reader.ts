import type { FrameSource } from './frame-source.ts'
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
export class TaskReader implements FrameSource {
  private readonly cursor: Cursor
  private readonly pull: (cursor: Cursor, max_chars: number) => string
  private readonly leave: () => void
  private readable: (() => void) | undefined

  constructor(start: Pick<Cursor, 'started' | 'after'>, pull: (cursor: Cursor, max_chars: number) => string, leave: () => void) {
    this.cursor = { ...start, part: 0, metrics: undefined, done: false }
    this.pull = pull
    this.leave = leave
  }

  get done(): boolean {
    return this.cursor.done
  }

  take(max_chars: number): string {
    return this.pull(this.cursor, max_chars)
  }

  onReadable(run: () => void): void {
    this.readable = run
  }

  close(): void {
    this.leave()
  }

  /** For the log. */
  notify(): void {
    this.readable?.()
  }
}
