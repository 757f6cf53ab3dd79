import { pause, type Clock } from '../../ports/clock.ts'

/** How many times as long as its result took to become durable a line's place in the window stays free. */
const times = 4

/** Longest rest, ms. */
const most_ms = 250

/**
 * How long a batch rests after a line beside others, ms: on an engine that takes no time it would keep the storage busy without a pause, and
 * every commit of the others would wait for one of its own. A slow storage, whoever keeps it busy, makes the rest longer.
 * @param took_ms what the result took to become durable
 */
export const restAfter = (took_ms: number): number => Math.min(most_ms, times * took_ms)

/** Resolves after a while or when the signal aborts; returns whether it has not. */
export const sleep = (clock: Clock, wait_ms: number, signal: AbortSignal): Promise<boolean> =>
  pause(clock, wait_ms, signal).then(
    () => true,
    () => false,
  )
