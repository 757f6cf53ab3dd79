import { atOnce, type Start } from '../prediction/forecast.ts'
import { neededAt, pauses, pressOf, tripOf, type Arbiter } from './arbiter.ts'
import { dueBy, type Member } from './member.ts'

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
  const its = dueBy(interactive ? deadline_at : Infinity, 0, own.service_ms)
  const due = { due_at: Math.min(own.due_at, its.due_at), late_at: Math.min(own.late_at, its.late_at), lost_at: Infinity }
  const me = { id, load_ms: own.load_ms, ...due, waiting: own.waiting + 1, interactive: own.interactive + (interactive ? 1 : 0) }
  const others = members.filter((one) => one.id !== id)
  const awake = others.filter(({ state }) => state !== 'asleep')
  if (awake.length < loaded && own.state === 'asleep') return startIn(backoff_ms + own.load_ms)
  const waiting = others.filter((one) => one.state === 'asleep' && one.waiting > 0)
  const turns = waiting.filter((one) => arbiter.before(one, me, members.length, now) < 0)
  const press = pressOf([me])
  const queue = { press: press + pressOf(waiting), growth: (press / me.waiting) * arbiter.noteOf(id).joins, trip_ms: tripOf(own) }
  const holds = (one: Member): number => (one.wanted === true ? max_hold_ms : heldFor(one, queue, arbiter))
  const next = Math.min(
    ...awake
      .filter((one) => !pin.includes(one.id))
      .map((one) => leavesIn(one, { by: neededAt(due, one) - own.load_ms, hold_ms: holds(one), max_hold_ms }, arbiter, now)),
    own.state === 'asleep' ? Infinity : 0,
  )
  const between = turns.reduce((sum, one) => sum + one.load_ms + Math.min(holds(one), max_hold_ms) + one.unload_ms, 0)
  return startIn(Math.max(backoff_ms, (next === Infinity ? max_hold_ms : next) + between / loaded) + own.load_ms)
}

/** What waits for a place. */
interface Queue {
  /** How much, in interactive tasks, and how much more in each ms. */
  readonly press: number
  readonly growth: number
  /** Once out and in, ms. */
  readonly trip_ms: number
}

/**
 * How long a pool keeps its place for its own sake, ms: until its work is done with what comes meanwhile, and then through its pauses until those
 * that wait have waited for as much as is allowed.
 */
function heldFor(one: Member, { press, growth, trip_ms }: Queue, arbiter: Arbiter): number {
  const { pause_ms, busy_ms } = arbiter.noteOf(one.id)
  const work_ms = one.work_ms * Math.max(1, busy_ms / Math.max(1, one.service_ms))
  const then = press + growth * work_ms
  const both_ms = tripOf(one) + trip_ms
  const allowance = arbiter.allowance(one, then, both_ms)
  if (allowance === 0) return work_ms
  /** How long it takes to have had a pause of a millisecond, ms. */
  const cycle = 1 + busy_ms / Math.max(1, pause_ms)
  const grows = growth * cycle
  const idle_ms = Math.min(
    // Those that wait become more: then * t + grows * t² / 2 is what they have waited after t.
    grows > 0 ? (Math.sqrt(then * then + 2 * grows * allowance) - then) / grows : allowance / then,
    // Until they are so many that nothing is allowed any more.
    (both_ms / pause_ms - then) / grows,
    // Until the first pause that is too long, where they come by chance.
    (Math.exp(pauses) - 1) * pause_ms,
  )
  return work_ms + idle_ms * cycle
}

/** Why a pool gives up its place. */
interface Leave {
  /** When another has to begin to load in it, ms since the epoch. */
  readonly by: number
  /** How long it keeps it for its own sake, and at most while others wait, ms. */
  readonly hold_ms: number
  readonly max_hold_ms: number
}

/** When a pool's place is expected to be free, ms from now. */
function leavesIn(one: Member, { by, hold_ms, max_hold_ms }: Leave, arbiter: Arbiter, now: number): number {
  const gone_ms = one.drain_ms + one.unload_ms
  if (one.state === 'unloading') return Math.max(0, one.unload_ms - (now - one.since))
  if (one.state === 'leaving') return gone_ms
  const loading_ms = one.state === 'loading' ? Math.max(0, one.load_ms - (now - one.since)) : 0
  if (one.wanted === true) return loading_ms + max_hold_ms + gone_ms
  const { contested_since = now + loading_ms } = arbiter.noteOf(one.id)
  const needed_ms = by - one.unload_ms - one.drain_late_ms - one.service_ms - now
  const yields_ms = Math.min(loading_ms + hold_ms, contested_since + max_hold_ms - now, needed_ms)
  return Math.max(0, yields_ms, (one.held_until ?? 0) - now) + gone_ms
}

const startIn = (mean: number): Start => ({ ms: mean, mean, variance: (scatter * mean) ** 2 })
