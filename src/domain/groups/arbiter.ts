import type { Due, Member } from './member.ts'
import { Note, patience_ms } from './note.ts'

/** How pools take turns. */
export interface GroupRules {
  /** Pools that may be loaded at once. */
  readonly loaded: number
  /** A pool without work is unloaded after this, ms. */
  readonly idle_unload_ms: number
  /** How long a pool with work stays while others wait, ms. */
  readonly max_hold_ms: number
  /** Loaded whenever nothing else needs the place; not unloaded for want of work. */
  readonly preload: readonly string[]
  /** Always loaded. */
  readonly pin: readonly string[]
}

/** What the order of those that wait goes by. */
export type Contender = Pick<Member, 'id' | 'interactive' | 'load_ms' | 'due_at' | 'lost_at' | 'wanted'>

/** What is to be done now. Each list is of ids of pools. */
export interface Decision {
  /** Asleep; there is room for them. */
  readonly load: readonly string[]
  /** Loaded: they take no task from now on, and are unloaded when what runs has ended. */
  readonly release: readonly string[]
  /** Leaving: they may stay after all. */
  readonly keep: readonly string[]
  /** When time alone may change the decision, ms since the epoch. */
  readonly look_at: number
}

/** A task is waited for as many average pauses. */
export const pauses = 3

/** A batch task that waits weighs this much of an interactive one. */
const batch_weight = 1 / 8

/** Longest time between two looks while somebody waits, ms. */
const look_ms = 1000

/**
 * Which pools of a group are loaded. A state machine without I/O or clock: it is told how the pools are whenever something has changed, and by
 * `look_at` at the latest.
 *
 * A loaded pool leaves for one that waits
 * - when it has nothing to do, and is not likely to have soon (`stay`);
 * - when the other's interactive tasks would miss their deadline (`neededAt`), can still meet it, and its own are not due before;
 * - when it has been held for `max_hold_ms` since others began to wait, and the other precedes it;
 * - when the other has waited for `max_hold_ms` times the number of pools;
 * - when an operator wants the other; it is then held for `max_hold_ms` whatever waits.
 * It fills its slots once before it leaves for any of these, so a swap always serves somebody. Who waits goes in the order of `before`.
 *
 * With H for `max_hold_ms`, D for the longest time in which running tasks end, S for the longest load and unload and n pools, a pool with work
 * whose loads do not fail is loaded within 2n(H + D + S).
 */
export class Arbiter {
  readonly rules: GroupRules
  private readonly notes = new Map<string, Note>()
  private readonly pinned: ReadonlySet<string>
  /** Pools for which others have been sent away: they come next. */
  private readonly promised = new Set<string>()
  private look_at = Infinity

  constructor(rules: GroupRules) {
    this.rules = rules
    this.pinned = new Set(rules.pin)
  }

  /** @param members every pool of the group @param now ms since the epoch */
  decide(members: readonly Member[], now: number): Decision {
    this.look_at = Infinity
    const waiting = members.filter((one) => isWaiting(one, now))
    const others = pressOf(waiting)
    for (const one of members) this.noteOf(one.id).update(one, others, tripOf(one), now)
    for (const id of this.promised) if (!waiting.some((one) => one.id === id)) this.promised.delete(id)
    for (const { retry_at, waiting: tasks, id } of members) if (tasks > 0 || this.isKept(id)) this.lookAt(retry_at, now)
    if (others > 0) this.lookAt(now + look_ms, now)
    const queue = waiting.sort((a, b) => this.before(a, b, members.length, now))
    const load = this.fill(members, queue, now)
    const unmet = queue.filter(({ id }) => !load.includes(id))
    const { release, keep } = this.makeRoom(members, unmet, now)
    return { load, release, keep, look_at: this.look_at }
  }

  /** What is remembered of a pool. */
  noteOf(id: string): Note {
    const known = this.notes.get(id) ?? new Note()
    this.notes.set(id, known)
    return known
  }

  /**
   * Who is loaded first of two that wait, less than 0 where it is `a`: who an operator wants; who was promised the place; who has waited for too long, in order; who has
   * interactive tasks that cannot wait for another turn, by when they are due; then in the order in which they began to wait, where one with
   * interactive tasks counts as if it had waited `max_hold_ms` longer.
   */
  before(a: Contender, b: Contender, pools: number, now: number): number {
    const { max_hold_ms } = this.rules
    const rank = (one: Contender): readonly [number, number] => {
      const since = this.noteOf(one.id).waiting_since ?? now
      if (one.wanted === true) return [-1, since]
      if (this.promised.has(one.id)) return [0, since]
      if (now - since >= pools * max_hold_ms) return [1, since]
      if (one.due_at <= now + max_hold_ms && now + one.load_ms <= one.lost_at) return [2, one.due_at]
      return [3, since - (one.interactive > 0 ? max_hold_ms : 0)]
    }
    const [first, second] = [rank(a), rank(b)]
    return first[0] - second[0] || first[1] - second[1]
  }

  /**
   * Until when a pool without work stays for the sake of tasks that are likely to come, ms since the epoch. It does not where the others would wait
   * longer for them than a swap there and back takes, and no longer than that for each of its own tasks that would come meanwhile and wait for it.
   * @param press of those that wait
   */
  stay(a: Member, press: number, trip_ms: number, now: number): number {
    const { idle_since = now, pause_ms } = this.noteOf(a.id)
    const allowance = this.allowance(a, press, trip_ms)
    return allowance === 0 ? now : Math.min(idle_since + pauses * pause_ms, now + allowance / press)
  }

  /** What the others may wait while a pool has nothing to do, all in all since it was loaded, task-ms: no more where that is `press` of them. */
  allowance({ id }: Pick<Member, 'id'>, press: number, trip_ms: number): number {
    const { pause_ms, debt_ms } = this.noteOf(id)
    if (press * pause_ms >= trip_ms) return 0
    return Math.max(0, trip_ms * Math.max(1, trip_ms / Math.max(1, pause_ms)) - debt_ms)
  }

  private fill(members: readonly Member[], queue: readonly Member[], now: number): string[] {
    const { loaded, preload } = this.rules
    const asleep = members.filter(({ state }) => state === 'asleep')
    const missing = asleep.filter(({ id }) => this.pinned.has(id))
    let room = loaded - (members.length - asleep.length) - missing.length
    const load = missing.filter(({ retry_at }) => retry_at <= now)
    for (const one of queue) if (room > 0 && !this.pinned.has(one.id)) room -= load.push(one) > 0 ? 1 : 0
    if (queue.every((one) => load.includes(one)))
      for (const one of asleep)
        if (room > 0 && preload.includes(one.id) && one.rests !== true && one.retry_at <= now && !load.includes(one))
          room -= load.push(one) > 0 ? 1 : 0
    return load.map(({ id }) => id)
  }

  private makeRoom(members: readonly Member[], unmet: readonly Member[], now: number): Pick<Decision, 'release' | 'keep'> {
    const leaving = members.filter(({ state }) => state === 'leaving')
    const coming = leaving.length + members.filter(({ state }) => state === 'unloading').length
    if (unmet.length === 0) return { release: this.idle(members, now), keep: leaving.map(({ id }) => id) }
    if (coming > unmet.length) return { release: [], keep: leaving.slice(unmet.length - coming).map(({ id }) => id) }
    const release: string[] = []
    const loaded = this.inOrderOfLeaving(members, 'loaded')
    for (const one of unmet.slice(coming)) {
      const out = loaded.find((a) => !release.includes(a.id) && this.yields(a, one, unmet, members.length, now))
      if (out === undefined) continue
      release.push(out.id)
      this.promised.add(one.id)
    }
    return { release, keep: [] }
  }

  /** Who would have to leave for a pool if an operator wanted it now; nobody where there is room or somebody leaves already. */
  leavesFor(members: readonly Member[], id: string): string | undefined {
    const awake = members.filter(({ state }) => state !== 'asleep')
    const missing = members.filter((one) => one.state === 'asleep' && one.id !== id && this.pinned.has(one.id))
    if (awake.some((one) => one.id === id || one.state === 'leaving' || one.state === 'unloading')) return undefined
    if (awake.length + missing.length < this.rules.loaded) return undefined
    return [...this.inOrderOfLeaving(members, 'loaded'), ...this.inOrderOfLeaving(members, 'loading')][0]?.id
  }

  private inOrderOfLeaving(members: readonly Member[], where: Member['state']): Member[] {
    return members.filter(({ state, id }) => state === where && !this.pinned.has(id)).sort((a, b) => this.worth(a) - this.worth(b))
  }

  /** Who leaves first: of those without work the one whose next task is the farthest off, then who has been held against others for longest. */
  private worth({ id }: Member): number {
    const { idle_since, pause_ms, contested_since = 0 } = this.noteOf(id)
    return idle_since === undefined ? contested_since : -pause_ms
  }

  private yields(a: Member, b: Member, unmet: readonly Member[], pools: number, now: number): boolean {
    const { max_hold_ms } = this.rules
    const { served, contested_since = now } = this.noteOf(a.id)
    if (b.wanted === true) return true
    if (this.lookAt(a.held_until ?? 0, now)) return false
    if (!served) return this.lookAt(a.since + patience_ms, now)
    if (a.waiting + a.running === 0) {
      if (!this.lookAt(this.stay(a, pressOf(unmet), tripOf(a) + tripOf(b), now), now)) return true
    }
    const swap_ms = a.unload_ms + b.load_ms
    // One more task may begin before the next look.
    const act_at = neededAt(b, a) - swap_ms - a.drain_late_ms - a.service_ms
    if (now + a.drain_ms + swap_ms <= b.lost_at && a.due_at > b.due_at && !this.lookAt(act_at, now)) return true
    const { waiting_since = now } = this.noteOf(b.id)
    if (!this.lookAt(waiting_since + pools * max_hold_ms, now)) return true
    if (this.lookAt(contested_since + max_hold_ms, now)) return false
    return a.waiting === 0 || this.before(b, a, pools, now) < 0
  }

  private idle(members: readonly Member[], now: number): string[] {
    return members
      .filter(({ id, state, waiting, running }) => {
        const { idle_since = now } = this.noteOf(id)
        if (state !== 'loaded' || waiting + running > 0 || this.isKept(id)) return false
        return !this.lookAt(idle_since + this.rules.idle_unload_ms, now)
      })
      .map(({ id }) => id)
  }

  private isKept(id: string): boolean {
    return this.pinned.has(id) || this.rules.preload.includes(id)
  }

  /** Whether a time is yet to come; it is looked again then. */
  private lookAt(at: number, now: number): boolean {
    if (at <= now) return false
    this.look_at = Math.min(this.look_at, at)
    return true
  }
}

const isWaiting = ({ state, waiting, retry_at }: Member, now: number): boolean => state === 'asleep' && waiting > 0 && retry_at <= now

/** Once out and in, ms. */
export const tripOf = ({ load_ms, unload_ms }: Member): number => load_ms + unload_ms

/**
 * When `b` has to be loaded in the place of `a`, ms since the epoch: in good time where nobody waits for `a`, else no sooner than is expected to be
 * enough, for a swap costs those that wait for either.
 */
export const neededAt = (b: Due, a: Pick<Member, 'waiting'>): number => (a.waiting > 0 ? b.late_at : b.due_at)

/** How much waits, in interactive tasks. */
export const pressOf = (members: readonly Pick<Member, 'waiting' | 'interactive'>[]): number =>
  members.reduce((sum, { waiting, interactive }) => sum + interactive + batch_weight * (waiting - interactive), 0)
