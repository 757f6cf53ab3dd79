import type { Ahead } from '../queue/ahead.ts'
import type { Ends } from './ends.ts'
import type { Moments } from './output-shares.ts'

/** When a task is expected to start, ms from now. */
export interface Start {
  /** As likely earlier as later. */
  readonly ms: number
  readonly mean: number
  readonly variance: number
}

/** What the wire says of a start: whole ms, within what the contract allows. */
export const startMs = ({ ms }: Start): number => Math.min(2 ** 31 - 1, Math.max(0, Math.ceil(ms - 1e-6)))

/** A task that starts now. */
export const atOnce: Start = { ms: 0, mean: 0, variance: 0 }

/** A start that waits for something else first. */
export const after = (first: Start, then: Start): Start => ({
  ms: first.ms + then.ms,
  mean: first.mean + then.mean,
  variance: first.variance + then.variance,
})

/** What a start depends on besides what is ahead. */
export interface Crew {
  /** How many tasks run, one for each busy slot, and when they end: not asked for where a slot is free. */
  readonly busy: number
  readonly ends: () => Ends
  readonly slots: number
  /** Mean service time, ms. */
  readonly service_ms: number
  /** Variance of a service time over the square of its prediction, and of their mean over its square. */
  readonly relative_variance: number
  readonly mean_variance: number
  /** Slots that later arrivals of the other class keep busy. */
  readonly load: number
}

/**
 * When a task starts that has `ahead` ahead of it. It starts with the dispatch after those ahead, and what is counted is the expected number of
 * dispatches up to a time: each slot gives one when its running task ends, and then one for each service time. With equal service times this is
 * a staircase and the answer exact; the more they scatter, the more it is a ramp. Later arrivals that may go before the task take their part
 * of the slots, until as many have passed as may.
 */
export function forecastStart(ahead: Ahead, crew: Crew): Start {
  const slots = Math.max(1, crew.slots, crew.busy)
  const free = slots - crew.busy
  if (ahead.position < free) return atOnce
  const ends = crew.ends()
  const scatter = Math.min(1, Math.sqrt(crew.relative_variance))
  // A renewal process gives t/s + (c² - 1)/2 events up to t on average: it is late by this.
  const idle_ms = (crew.service_ms * (1 - scatter * scatter)) / 2
  const timeOf = (position: number, work_ms: number): number => {
    // On one slot it is what is left there and the work ahead, however it scatters.
    if (slots === 1) return (ends.means[0] ?? 0) + work_ms
    const service_ms = Math.max(1e-3, position > 0 ? work_ms / position : crew.service_ms)
    const exact = scatter < mixed ? staircase(position + 1, ends, free, service_ms) : 0
    const smooth = scatter > 0 ? ramp(position + 1, work_ms, ends, free, idle_ms) : 0
    return exact + Math.min(1, scatter / mixed) * (smooth - exact)
  }
  const alone = timeOf(ahead.position, ahead.work_ms)
  const occupied = ahead.may_pass === 0 ? 0 : Math.min(fullest, crew.load / slots)
  const passed = occupied === 0 ? alone : alone / (1 - occupied)
  const most = (): number => timeOf(ahead.position + ahead.may_pass, ahead.work_ms + ahead.may_pass * crew.service_ms)
  const mean = occupied > 0 && Number.isFinite(ahead.may_pass) ? Math.max(alone, Math.min(passed, most())) : passed
  const service_ms = ahead.position > 0 ? ahead.work_ms / ahead.position : crew.service_ms
  const stretch = alone > 0 ? mean / alone : 1
  const own = ((ahead.work_ms * service_ms * crew.relative_variance + ends.variance) / (slots * slots)) * stretch * stretch
  // What passes arrives by chance: a busy period that begins with the work ahead (Takács), its variance.
  const passing = ((occupied * crew.service_ms * (1 + crew.relative_variance)) / slots) * alone * stretch ** 3
  const variance = own + passing + crew.mean_variance * mean * mean
  return { ms: mean * (1 - ninthOf(mean, variance)) ** 3, mean, variance }
}

/** Relative deviation of service times from which on dispatches come evenly rather than in steps. */
const mixed = 0.25

/** Part of the slots that later arrivals are believed to take at most: more would be a prediction of never. */
const fullest = 0.9

/** When so many dispatches have happened if all services take the same time and what runs what is expected. */
function staircase(dispatches: number, ends: Ends, free: number, service_ms: number): number {
  const before = (t: number): { readonly count: number; readonly last: number } => {
    const { count, last } = ends.again(t, service_ms)
    const of_free = Math.ceil(t / service_ms)
    return free === 0 ? { count, last } : { count: count + free * of_free, last: Math.max(last, (of_free - 1) * service_ms) }
  }
  let high = service_ms
  while (before(high).count < dispatches) high *= 2
  let low = high > service_ms ? high / 2 : 0
  for (let step = 0; step < 22; step++) {
    const middle = (low + high) / 2
    if (before(middle).count >= dispatches) high = middle
    else low = middle
  }
  return before(high).last
}

/** When so many dispatches are expected with service times that scatter: one as each running task ends, and one for each mean service time since then. */
function ramp(dispatches: number, work_ms: number, ends: Ends, free: number, idle_ms: number): number {
  // The first of n + 1 services is what is left of those that run (their harmonic mean: the soonest matter), the others are the work ahead.
  const service_ms = Math.max(1e-3, (ends.soonest + work_ms) / dispatches)
  const expected = (t: number): Grown => {
    const now = ends.at(t)
    const then = idle_ms === 0 ? now : ends.at(t - idle_ms)
    return {
      value: free * (1 + Math.max(0, t - idle_ms) / service_ms) + now.count + then.since_ms / service_ms,
      slope: now.slope + (then.count + (t > idle_ms ? free : 0)) / service_ms,
    }
  }
  // Once all that runs has ended, it is a straight line.
  const straight = idle_ms + (ends.sum + (dispatches - ends.size - free) * service_ms) / Math.max(1, ends.size + free)
  return reached(expected, dispatches - tolerance, straight > 0 ? straight : service_ms, service_ms)
}

/** A value that never falls, and how fast it grows. */
interface Grown {
  readonly value: number
  readonly slope: number
}

/** Of a dispatch: so nearly it is expected. What is all but certain would take for ever to be certain. */
const tolerance = 1e-6

/** Where a value grows by less than this share of it while the time doubles, it hardly grows. */
const level = 1e-6

/** The least time, to within a hundred millionth, by which a value has been reached: by Newton's method, or by halves where that does not come nearer. */
function reached(grown: (t: number) => Grown, target: number, guess: number, scale_ms: number): number {
  let [low, high, t, stride] = [0, Infinity, guess, Infinity]
  for (;;) {
    const { value, slope } = grown(t)
    if (value >= target) high = t
    else low = t
    const newton = slope * t > level * target ? t + (target - value) / slope : NaN
    const nearer = newton >= low && newton <= high && Math.abs(newton - t) < stride / 2
    const next = nearer ? newton : high === Infinity ? 2 * t : (low + high) / 2
    stride = Math.abs(next - t)
    t = next
    const hair = 1e-8 * (next + scale_ms)
    if (stride > hair) continue
    // Before the bend at which it begins to grow it may have been there for long.
    if (next - hair <= low || grown(next - hair).value < target) return next
    ;[high, t, stride] = [next - hair, (low + next - hair) / 2, Infinity]
  }
}

/**
 * Chance that a wait and a service together are over within `left_ms`: their sum as a gamma distribution, by the cube root transformation (E. Wilson,
 * M. Hilferty, 1931).
 */
export function onTimeChance(start: Start, service: Moments, left_ms: number): number {
  const mean = start.mean + service.mean
  const variance = start.variance + service.variance
  if (left_ms < 0) return 0
  if (mean < 1e-9 || !(variance > 1e-12 * mean * mean)) return left_ms >= Math.min(mean, start.ms + service.mean) - 1e-6 ? 1 : 0
  const ninth = ninthOf(mean, variance)
  return normalCdf((Math.cbrt(left_ms / mean) - 1 + ninth) / Math.sqrt(ninth))
}

/** A ninth of the relative variance, within what the transformation bears; the median of a gamma distribution is its mean times (1 - this)³. */
const ninthOf = (mean: number, variance: number): number => (mean > 1e-9 ? Math.min(0.5, variance / (9 * mean * mean)) : 0)

/** Standard normal distribution function; Abramowitz and Stegun 7.1.26, error below 1.5e-7. */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x)
  return z >= 0 ? 1 - tail / 2 : tail / 2
}
