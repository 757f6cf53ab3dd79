import type { Mark } from './mark.ts'
import type { Part } from './part.ts'
import type { MetricsEvent, StartedEvent, TerminalEvent } from './task-events.ts'

/** How a door writes a task's events. What it returns goes out as it is, to every reader of the door. */
export interface EventFormat {
  /** It remembers what it has written, so it is one reader's and its frames are nobody else's. */
  readonly own?: boolean
  started(event: StartedEvent): string
  /**
   * @param index of the part, from 0
   * @param mark of all parts up to and including this one
   */
  part(part: Part, index: number, mark: Mark): string
  /** Left out where it tells nothing of them. */
  metrics?(event: MetricsEvent): string
  terminal(event: TerminalEvent): string
}
