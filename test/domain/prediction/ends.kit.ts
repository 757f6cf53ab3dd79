import fc from 'fast-check'
import type { Ended } from '../../../src/domain/prediction/ends.ts'
import type { Moments } from '../../../src/domain/prediction/output-shares.ts'

/** Evenly between two numbers: of `fc.double` most would be next to 0. */
export const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 1e6 }).map((n) => min + ((max - min) * n) / 1e6)

const share = between(0, 1)

/** What is left of tasks that run: few or many, alike or of all lengths, some of them all but certain, some at their end. */
export const anyBusy: fc.Arbitrary<readonly Moments[]> = fc
  .record({
    scale: between(0, 5),
    spans: fc.constantFrom(0, 1, 6),
    tasks: fc.oneof(
      fc.array(fc.tuple(share, share), { maxLength: 12 }),
      fc.array(fc.tuple(share, share), { minLength: 100, maxLength: 400, size: 'max' }),
    ),
    certain: fc.constantFrom(0, 1e-4, 1),
  })
  .map(({ scale, spans, tasks, certain }) =>
    tasks.map(([length, scatter]) => {
      const mean = length < 0.02 ? 0 : 10 ** (scale + spans * (length - 1))
      return { mean, variance: scatter < 0.05 ? 0 : (certain + scatter * (1 - certain)) * scatter * mean * mean }
    }),
  )

/** What is expected at t of tasks that run, each counted by itself: a constant and an exponential part. */
export function countedOneByOne(busy: readonly Moments[], t: number): Ended {
  let [count, slope, since_ms] = [0, 0, 0]
  for (const { mean, variance } of busy) {
    const random = Math.min(mean, 1.5 * Math.sqrt(variance))
    const past = t - (mean - random)
    if (past <= 0) continue
    const left = random > 0 ? Math.exp(-past / random) : 0
    count += 1 - left
    if (random > 0) slope += left / random
    since_ms += past - random * (1 - left)
  }
  return { count, slope, since_ms }
}

/** How often tasks end by t, and when last before it, where each ends at its mean and then again after every service: each counted by itself. */
export function againOneByOne(busy: readonly Moments[], t: number, service_ms: number): { readonly count: number; readonly last: number } {
  let [count, last] = [0, 0]
  for (const { mean } of busy) {
    const times = Math.max(0, Math.ceil((t - mean) / service_ms))
    count += times
    if (times > 0) last = Math.max(last, mean + (times - 1) * service_ms)
  }
  return { count, last }
}
