import fc from 'fast-check'
import type { Ended } from '../../../src/domain/prediction/ends.ts'
import type { Moments } from '../../../src/domain/prediction/output-shares.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })

/** What is left of tasks that run: few or many, alike or of all lengths, some of them all but certain, some at their end. */
export const anyBusy: fc.Arbitrary<readonly Moments[]> = fc
  .record({
    scale: fc.double({ min: 0, max: 5, noNaN: true }),
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
