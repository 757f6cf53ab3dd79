/** Stops a timer; a second call does nothing. */
export type CancelTimer = () => void

/** Time, injected everywhere so that tests own it. */
export interface Clock {
  /**
   * Milliseconds since the epoch as the start knew it, with fractions (what is stored is floored); goes on evenly while the process runs, whatever
   * is done to the machine's clock. Durations and deadlines are differences of it.
   */
  now(): number
  /** What the machine's clock says, or would have said, at a moment of `now()`: for points in time that are told or stored. */
  wallOf(moment: number): number
  /** Calls `run` once after `delay_ms`, or after 2^31 - 1 ms where that is more. Does not keep the process alive. */
  after(delay_ms: number, run: () => void): CancelTimer
  /** Calls `run` every `period_ms`. Does not keep the process alive. */
  every(period_ms: number, run: () => void): CancelTimer
}

/** What the machine's clock says now, whole ms since the epoch. */
export const wallNow = (clock: Clock): number => Math.floor(clock.wallOf(clock.now()))

/** Moments of `now()` at which the machine's clock said something; now where that is still to come, for the clock has been set back. The clock is read once for many. */
export function momentsOf(clock: Clock): (wall: number) => number {
  const now = clock.now()
  const wallNow = clock.wallOf(now)
  return (wall) => now - Math.max(0, wallNow - wall)
}

/** The moment of `now()` at which the machine's clock will say this, if nobody sets it until then. */
export const comingMoment = (wall: number, clock: Clock): number => {
  const now = clock.now()
  return now + wall - clock.wallOf(now)
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })

/** Never resolves. @throws the signal's reason as soon as it aborts */
export const untilAborted = (signal: AbortSignal): Promise<never> => aborted(signal).then(() => Promise.reject(signal.reason as Error))

/** Resolves after the time. @throws the signal's reason as soon as it aborts */
export function pause(clock: Clock, delay_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.after(delay_ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
  })
}

/** What comes of something. @throws Error with the words of `late` where that takes longer than the limit, ms; it goes on all the same */
export async function within<T>(clock: Clock, limit_ms: number, done: Promise<T>, late: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const cancel = clock.after(limit_ms, () => reject(new Error(`${late} after ${limit_ms} ms`)))
  return Promise.race([done, promise]).finally(cancel)
}
