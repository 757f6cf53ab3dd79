import { atOnce, type Start } from '../prediction/forecast.ts'
import { neededAt, type Arbiter } from './arbiter.ts'
import type { Member } from './member.ts'

/** Relative deviation of a predicted wait for a place. */
const scatter = 0.3

/** A task that would wait for a pool to be loaded. */
export interface Waiter {
  readonly interactive: boolean
  /** Milliseconds since the epoch. */
  readonly deadline_at: number
}

/**
 * When a pool of a group is expected to be loaded if the task comes to it, from now: what is left of a load under way, or the turns of those that
 * are loaded and of those that come first, each with its swap.
 * @param now ms since the epoch
 */
export function forecastLoad(
  arbiter: Arbiter,
  members: readonly Member[],
  id: string,
  { interactive, deadline_at }: Waiter,
  now: number,
): Start {
  const { loaded, max_hold_ms, pin } = arbiter.rules
  const own = members.find((one) => one.id === id)
  if (own === undefined || own.state === 'loaded') return atOnce
  if (own.state === 'loading') return startIn(Math.max(0, own.load_ms - (now - own.since)))
  const backoff_ms = Math.max(0, own.retry_at - now)
  const late_at = interactive ? deadline_at - own.service_ms : Infinity
  const due = { due_at: Math.min(own.due_at, late_at), late_at: Math.min(own.late_at, late_at), lost_at: Infinity }
  const me = { id, load_ms: own.load_ms, ...due, interactive: own.interactive + (interactive ? 1 : 0) }
  const others = members.filter((one) => one.id !== id)
  const awake = others.filter(({ state }) => state !== 'asleep')
  if (awake.length < loaded && own.state === 'asleep') return startIn(backoff_ms + own.load_ms)
  const turns = others
    .filter(({ state, waiting }) => state === 'asleep' && waiting > 0)
    .filter((one) => arbiter.before(one, me, members.length, now) < 0)
  const next = Math.min(
    ...awake
      .filter((one) => !pin.includes(one.id))
      .map((one) => leavesIn(one, neededAt(due, one) - own.load_ms, max_hold_ms, arbiter, now)),
    own.state === 'asleep' ? Infinity : 0,
  )
  const between = turns.reduce((sum, one) => sum + one.load_ms + heldFor(one, max_hold_ms) + one.unload_ms, 0)
  return startIn(Math.max(backoff_ms, (next === Infinity ? max_hold_ms : next) + between / loaded) + own.load_ms)
}

/** When a pool's place is expected to be free, ms from now. */
function leavesIn(one: Member, by: number, max_hold_ms: number, arbiter: Arbiter, now: number): number {
  const { contested_since = now } = arbiter.noteOf(one.id)
  const gone_ms = one.drain_ms + one.unload_ms
  if (one.state === 'unloading') return Math.max(0, one.unload_ms - (now - one.since))
  if (one.state === 'leaving') return gone_ms
  const loading_ms = one.state === 'loading' ? one.load_ms - (now - one.since) : 0
  if (one.wanted === true) return Math.max(0, loading_ms + max_hold_ms) + gone_ms
  const held_ms = loading_ms + one.work_ms
  const yields_ms = Math.min(held_ms, contested_since + max_hold_ms - now, by - gone_ms - now)
  return Math.max(0, yields_ms, (one.held_until ?? 0) - now) + gone_ms
}

/** How long a pool that has its turn keeps its place, ms. */
const heldFor = ({ wanted, work_ms }: Member, max_hold_ms: number): number =>
  wanted === true ? max_hold_ms : Math.min(work_ms, max_hold_ms)

const startIn = (mean: number): Start => ({ ms: mean, mean, variance: (scatter * mean) ** 2 })
