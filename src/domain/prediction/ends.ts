import { firstFrom } from '../ascending.ts'
import { Fading } from './fading.ts'
import type { Moments } from './output-shares.ts'

/** What is expected of things that end, at a moment. */
export interface Ended {
  /** How many have ended. */
  readonly count: number
  /** How fast that grows, per ms. */
  readonly slope: number
  /** How long ago that was, added up, ms. */
  readonly since_ms: number
}

const none: Ended = { count: 0, slope: 0, since_ms: 0 }

/** An exponential part that is a smaller share than this is none. */
const negligible = 1e-9

/**
 * When the tasks that run end: worked out once for all that wait, whatever waits. A look at a moment costs about the same whether ten run or a
 * thousand. Times are ms from now.
 */
export class Ends {
  readonly size: number
  /** When each is expected to end, ascending. */
  readonly means: Float64Array
  /** Their sum, and their harmonic mean: in that the soonest matter. */
  readonly sum: number
  readonly soonest: number
  /** Mean of the variances. */
  readonly variance: number
  private readonly busy: readonly Moments[]
  private known: Course | undefined

  /** @param busy what is left of each */
  constructor(busy: readonly Moments[]) {
    this.busy = busy
    this.size = busy.length
    this.means = new Float64Array(busy.length)
    let [sum, inverse, variances] = [0, 0, 0]
    for (const [index, { mean, variance }] of busy.entries()) {
      this.means[index] = mean
      sum += mean
      inverse += 1 / Math.max(1e-3, mean)
      variances += variance
    }
    this.means.sort()
    this.sum = sum
    this.soonest = busy.length / Math.max(negligible, inverse)
    this.variance = variances / Math.max(1, busy.length)
  }

  /** What is expected at t. */
  at(t: number): Ended {
    const { froms, sums, fading } = (this.known ??= courseOf(this.busy))
    const begun = firstFrom(froms, t)
    if (begun === 0) return none
    const { left, slope, left_ms } = fading.at(t)
    return { count: begun - left, slope, since_ms: begun * t - (sums[begun] ?? 0) + left_ms }
  }

  /** As `at`, where each ends when it is expected to, and then again after every `service_ms`: how often by t, and when last before it. */
  again(t: number, service_ms: number): { readonly count: number; readonly last: number } {
    const { means } = this
    let [count, last, before] = [0, 0, t]
    // Those that differ by whole services end together: it goes back from one to the next sooner one.
    for (let begun = firstFrom(means, t); begun > 0; begun = firstFrom(means, before, begun)) {
      const latest = means[begun - 1] ?? 0
      const times = Math.max(1, Math.ceil((before - latest) / service_ms))
      count += begun * times
      last = Math.max(last, latest + (t - before) + (times - 1) * service_ms)
      before -= times * service_ms
    }
    return { count, last }
  }
}

/** How things come to their end, one after the other. */
interface Course {
  /** When each may end at the soonest, ascending; and of as many of these, the sum of their means. */
  readonly froms: Float64Array
  readonly sums: Float64Array
  readonly fading: Fading
}

function courseOf(busy: readonly Moments[]): Course {
  const parts = busy
    .map(({ mean, variance }) => {
      // It is taken for a constant and an exponential part.
      const random = Math.min(mean, 1.5 * Math.sqrt(variance))
      return { from: mean - random, mean, random }
    })
    .sort((a, b) => a.from - b.from)
  const sums = new Float64Array(parts.length + 1)
  for (const [index, { mean }] of parts.entries()) sums[index + 1] = (sums[index] ?? 0) + mean
  const fading = new Fading(parts.filter(({ random, mean }) => random > negligible * mean))
  return { froms: Float64Array.from(parts, ({ from }) => from), sums, fading }
}
