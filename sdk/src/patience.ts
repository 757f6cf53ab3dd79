import { ConnectionError, OrchestratordError } from './errors.ts'

/** Time and chance, for tests to replace. */
export interface Timing {
  /** ms, from any origin. */
  readonly now: () => number
  /** @throws the signal's reason where it aborts */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** From 0 to below 1. */
  readonly random: () => number
}

export const systemTiming: Timing = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        // Whoever aborts may give any reason, as with every signal.
        reject(signal?.reason as Error)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }, ms)
      if (signal?.aborted === true) leave()
      else signal?.addEventListener('abort', leave, { once: true })
    }),
}

/** How long one may fail in a row: what goes wrong is waited out while it is retriable and the next try is within the patience. */
export class Patience {
  private readonly timing: Timing
  private readonly limit_ms: number
  private failures = 0
  private since: number | undefined

  constructor(timing: Timing, limit_ms: number) {
    this.timing = timing
    this.limit_ms = limit_ms
  }

  /** Something went well. */
  restore(): void {
    this.failures = 0
    this.since = undefined
  }

  /**
   * Waits until it is worth trying again: as long as the daemon told and up to a fifth longer, else from 250 ms doubling to 10 s, less up to half.
   * @throws the error itself where it is not retriable or patience ends; the signal's reason where that aborts
   */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    if (!(error instanceof OrchestratordError) || !error.retriable) throw error
    const { now, random, sleep } = this.timing
    const told = error.retry_after_ms
    const ms = told === undefined ? Math.min(10_000, 250 * 2 ** this.failures) * (1 - random() / 2) : told * (1 + random() / 5)
    this.failures++
    this.since ??= now()
    if (now() + ms - this.since > this.limit_ms) throw error
    await sleep(ms, signal)
  }
}

/** What a platform's fetch throws where there is no connection is a TypeError everywhere; anything else (a signal's reason) stays as it is. */
export function asConnectionError(error: unknown): unknown {
  return error instanceof TypeError ? new ConnectionError('The daemon could not be reached, or went away.', { cause: error }) : error
}
