import type { EventSink } from '../../domain/daemon-events.ts'
import { type CancelTimer, type Clock, wallNow } from '../../ports/clock.ts'
import type { Journal } from '../../ports/journal.ts'

/** How often what is past its retention is forgotten, ms. */
const purge_ms = 60_000

/** How long what has ended is kept. */
export interface RetentionRules {
  readonly tasks_ms: number
  readonly artifacts_ms: number
}

/** Forgets now and then what is past its retention. Returns how to stop. */
export function retention(
  { tasks_ms, artifacts_ms }: RetentionRules,
  { journal, clock, events }: { readonly journal: Pick<Journal, 'purge'>; readonly clock: Clock; readonly events: EventSink },
): CancelTimer {
  return clock.every(purge_ms, () => {
    const now = wallNow(clock)
    journal.purge(now - tasks_ms, now - artifacts_ms).catch((err: unknown) => {
      const message = 'What is past its retention could not be removed.'
      events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    })
  })
}
