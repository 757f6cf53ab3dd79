import type { EventSink } from '../../domain/daemon-events.ts'
import { pause, type Clock } from '../../ports/clock.ts'
import type { Fact, Journal } from '../../ports/journal.ts'

/** Pause before facts are written again, ms. */
const retry_ms = 1000

/** What a patient commit works with. */
export interface CommitParts {
  readonly journal: Pick<Journal, 'commit'>
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * Makes facts durable. A disk that cannot be written is waited for: without it nothing could be finished either.
 * @param facts as they are at each try
 * @param message what the log says each time it cannot be written
 * @throws the signal's reason where it aborts while the disk is waited for
 */
export async function commitPatiently(
  facts: () => readonly Fact[],
  message: string,
  { journal, clock, events }: CommitParts,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await journal.commit(facts())
      return
    } catch (err) {
      events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    }
    await pause(clock, retry_ms, signal)
  }
}
