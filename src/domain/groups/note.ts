import type { Member } from './member.ts'

/** Weight of the newest in an average. */
const newest = 0.25

/** Pauses longer than this many round trips count as this many. */
const longest = 10

/** @param before undefined where it is the first one */
const averaged = (before: number | undefined, value: number): number => (before === undefined ? value : before + newest * (value - before))

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
  private pause: number | undefined
  private busy: number | undefined
  /** What came in the time that it waited to be loaded, on average. */
  private joined: { readonly tasks: number; readonly ms: number } | undefined
  private busy_since: number | undefined
  private came = 0
  private waiting = 0
  private worked = false
  private looked_at = 0
  private others = 0

  /** From its last task to its next, ms, on average; Infinity until one was seen. */
  get pause_ms(): number {
    return this.pause ?? Infinity
  }

  /** How long it has something to do between two pauses while it is loaded, ms, on average; 0 until that was seen. */
  get busy_ms(): number {
    return this.busy ?? 0
  }

  /** Tasks that join those that wait for it to be loaded, in a ms; 0 until it was seen to wait. */
  get joins(): number {
    const { tasks, ms } = this.joined ?? { tasks: 0, ms: 1 }
    return tasks / Math.max(1, ms)
  }

  /** Takes in how the pool is. @param trip_ms what it takes to swap it out and in again @param others tasks that wait for its place */
  update(member: Member, others: number, trip_ms: number, now: number): void {
    const idle = member.waiting === 0 && member.running === 0
    const isLoaded = member.state === 'loaded'
    if (this.idle_since !== undefined && isLoaded) this.debt_ms += this.others * (now - this.looked_at)
    if (idle) this.idle_since ??= now
    else {
      if (this.worked && this.idle_since !== undefined)
        this.pause = averaged(this.pause, Math.min(now - this.idle_since, longest * trip_ms))
      this.idle_since = undefined
      this.worked = true
    }
    if (isLoaded && !idle) this.busy_since ??= now
    else {
      if (this.busy_since !== undefined) this.busy = averaged(this.busy, now - this.busy_since)
      this.busy_since = undefined
    }
    this.count(member, now)
    if (!isLoaded) {
      this.debt_ms = 0
      this.served = false
    } else if (member.running > 0 || member.waiting === 0 || now - member.since >= patience_ms) this.served = true
    this.contested_since = isLoaded && others > 0 ? (this.contested_since ?? now) : undefined
    this.waiting_since = !isLoaded && member.state !== 'loading' && member.waiting > 0 ? (this.waiting_since ?? now) : undefined
    this.others = others
    this.looked_at = now
  }

  /** What comes while it waits to be loaded, until its load begins. */
  private count({ waiting, state }: Member, now: number): void {
    if (this.waiting_since === undefined) this.came = 0
    else {
      this.came += Math.max(0, waiting - this.waiting)
      if (state === 'loading')
        this.joined = { tasks: averaged(this.joined?.tasks, this.came), ms: averaged(this.joined?.ms, now - this.waiting_since) }
    }
    this.waiting = waiting
  }
}

/** A pool that has been loaded this long has had its chance, whatever it made of it, ms. */
export const patience_ms = 1000
