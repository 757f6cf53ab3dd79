import type { Member } from './member.ts'

/** Weight of the newest pause in their average. */
const newest = 0.25

/** Pauses longer than this many round trips count as this many. */
const longest = 10

/** What the arbiter remembers of a pool from look to look. Points in time are ms since the epoch. */
export class Note {
  /** Since when it waits to be loaded. */
  waiting_since: number | undefined
  /** Since when it has nothing to do. */
  idle_since: number | undefined
  /** While loaded: since when others wait for its place. */
  contested_since: number | undefined
  /** While loaded: it has had the chance to fill its slots. */
  served = false
  /** How long the others have waited for it while it had nothing to do, task-ms since it was loaded. */
  debt_ms = 0
  /** From its last task to its next, ms, on average; Infinity until one was seen. */
  pause_ms = Infinity
  private worked = false
  private looked_at = 0
  private others = 0

  /** Takes in how the pool is. @param trip_ms what it takes to swap it out and in again @param others tasks that wait for its place */
  update(member: Member, others: number, trip_ms: number, now: number): void {
    const idle = member.waiting === 0 && member.running === 0
    if (this.idle_since !== undefined && member.state === 'loaded') this.debt_ms += this.others * (now - this.looked_at)
    if (idle) this.idle_since ??= now
    else if (this.worked && this.idle_since !== undefined) {
      const pause_ms = Math.min(now - this.idle_since, longest * trip_ms)
      this.pause_ms = this.pause_ms === Infinity ? pause_ms : this.pause_ms + newest * (pause_ms - this.pause_ms)
    }
    if (!idle) {
      this.idle_since = undefined
      this.worked = true
    }
    const isLoaded = member.state === 'loaded'
    if (!isLoaded) {
      this.debt_ms = 0
      this.served = false
    } else if (member.running > 0 || member.waiting === 0 || now - member.since >= patience_ms) this.served = true
    this.contested_since = isLoaded && others > 0 ? (this.contested_since ?? now) : undefined
    this.waiting_since = !isLoaded && member.state !== 'loading' && member.waiting > 0 ? (this.waiting_since ?? now) : undefined
    this.others = others
    this.looked_at = now
  }
}

/** A pool that has been loaded this long has had its chance, whatever it made of it, ms. */
export const patience_ms = 1000
