import { jittered } from '../backoff.ts'

/** Shortest and longest pause before a replica is tried again, ms. */
const base_ms = 250
const cap_ms = 60_000
/** A breaker that stayed closed this long starts over with the shortest pause, ms. */
const steady_ms = cap_ms
/** Tasks in a row that have to fail: one alone may be what its engine cannot stand. */
const strikes = 3

/** Pause before the next try after `openings` in a row (at least 1), ms: doubles from 250 ms to 60 s. */
export const longestPauseMs = (openings: number): number => Math.min(cap_ms, base_ms * 2 ** Math.min(30, openings - 1))

/**
 * Whether a replica is trusted with tasks. A state machine without a clock; points in time are ms since the epoch.
 * - closed: it takes tasks. -(tripped | the third task in a row failed)-> open.
 * - open: it takes none. -(the pause is over: tried)-> half-open.
 * - half-open: one task at a time goes to it. -(succeeded)-> closed; -(tripped | a task failed)-> open, for longer.
 *
 * What says nothing of the replica is not told to it: refusals, aborts, answers that it is busy.
 */
export class Breaker {
  private current: 'closed' | 'open' | 'half-open' = 'closed'
  private readonly jitter: () => number
  private closed_at: number
  private openings = 0
  /** Tasks that have failed since the last success. */
  private readonly failing = new Set<string>()

  /** @param jitter 0 to 1: where between half of a pause and all of it the next one is, so that not all come back at once */
  constructor(now: number, jitter: () => number) {
    this.closed_at = now
    this.jitter = jitter
  }

  get state(): 'closed' | 'open' | 'half-open' {
    return this.current
  }

  /** The engine is gone, or does not do what it is told. Returns how long it is left alone, ms. */
  tripped(now: number): number {
    const steady = this.current === 'closed' && now - this.closed_at >= steady_ms
    this.openings = steady ? 1 : this.openings + 1
    this.current = 'open'
    return jittered(longestPauseMs(this.openings), this.jitter())
  }

  /** The engine has failed a task. Returns how long it is left alone, ms; undefined where that was not the last straw. */
  failed(task: string, now: number): number | undefined {
    if (this.current === 'open') return undefined
    this.failing.add(task)
    return this.current === 'half-open' || this.failing.size >= strikes ? this.tripped(now) : undefined
  }

  /** It is tried again, with one task. */
  tried(): void {
    this.current = 'half-open'
  }

  /** A task has ended as it should, or the engine has come up. */
  succeeded(now: number): void {
    this.failing.clear()
    if (this.current === 'closed') return
    this.current = 'closed'
    this.closed_at = now
  }
}
