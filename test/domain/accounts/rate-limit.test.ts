import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RateLimit } from '../../../src/domain/accounts/rate-limit.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 1)

/** A bucket of one minute's requests that fills evenly, in whole numbers: sixtieths-of-a-thousandth of a request for each quarter ms. */
class Bucket {
  private readonly rate: bigint
  private readonly size: bigint
  private level: bigint
  private at = 0n

  constructor(rate: number) {
    this.rate = BigInt(rate)
    // One request is 4 * minute units; each quarter of a millisecond brings `rate` of them.
    this.size = this.rate * BigInt(4 * minute)
    this.level = this.size
  }

  /** Takes a request `quarters` after the start; whether there was one. */
  take(quarters: number): boolean {
    const now = BigInt(quarters)
    const filled = this.level + (now - this.at) * this.rate
    this.level = filled > this.size ? this.size : filled
    this.at = now
    if (this.level < BigInt(4 * minute)) return false
    this.level -= BigInt(4 * minute)
    return true
  }
}

/** Takes at these times, quarters of a millisecond after the start. */
const replayed = (rate: number, times: readonly number[]): RateLimit => {
  const limit = new RateLimit(rate)
  for (const time of times) assert.equal(limit.take(start + time / 4), 0)
  return limit
}

const rate = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1000 }))
// Many at once, close together, about as far apart as they may come, and long pauses.
const pause = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.nat(40) },
  { weight: 3, arbitrary: fc.nat(4 * 10_000) },
  { weight: 1, arbitrary: fc.nat(4 * 2 * minute) },
)

describe('a rate limit', () => {
  it('lets through what a bucket does, never too much in any stretch, and says exactly how long to wait', () => {
    let done = 0
    fc.assert(
      fc.property(rate, fc.array(pause, { minLength: 100, maxLength: 150 }), (per_minute, pauses) => {
        const limit = new RateLimit(per_minute)
        const bucket = new Bucket(per_minute)
        const taken: number[] = []
        let now = 0
        for (const gap of pauses) {
          now += gap
          const wait = limit.take(start + now / 4)
          assert.equal(wait === 0, bucket.take(now), `after ${now / 4} ms`)
          if (wait === 0) taken.push(now)
          else {
            assert.ok(Number.isInteger(wait) && wait <= minute)
            assert.equal(replayed(per_minute, taken).take(start + now / 4 + wait), 0, 'after the wait')
            assert.notEqual(replayed(per_minute, taken).take(start + now / 4 + wait - 1), 0, 'a millisecond earlier')
          }
          done++
        }
        taken.forEach((from, i) => {
          taken.slice(i).forEach((to, more) => {
            assert.ok(more + 1 <= per_minute + ((to - from) / 4) * (per_minute / minute) + 1e-6)
          })
        })
      }),
      { numRuns: 500 },
    )
    assert.ok(done >= 50_000)
  })

  for (const per_minute of [1, 2, 3, 7, 11, 60, 97, 1000, 999_983, 1_000_000])
    it(`of ${per_minute} a minute lets just that many through at once, and as many in each minute that follows`, () => {
      const limit = new RateLimit(per_minute)
      let now = start + 0.75
      const burst = (): number => {
        let count = 0
        while (limit.take(now) === 0) count++
        return count
      }
      assert.equal(burst(), per_minute)
      for (let i = 0; i < 3; i++) {
        now += minute
        assert.equal(burst(), per_minute)
      }
    })

  for (const per_minute of [7, 97, 1000])
    it(`of ${per_minute} a minute keeps its rate for an hour of asking each millisecond or so`, () => {
      const limit = new RateLimit(per_minute)
      let count = 0
      for (let ms = 0; ms < 60 * minute; ms++) if (limit.take(start + ms) === 0) count++
      // The burst of the first minute and one hour's worth, less what the last millisecond would have brought.
      assert.equal(count, per_minute + Math.floor(((60 * minute - 1) * per_minute) / minute))
    })

  it('does not go wrong where time stands still or steps back a little', () => {
    const limit = new RateLimit(2)
    assert.deepEqual([limit.take(start), limit.take(start - 5), limit.take(start)], [0, 0, 30_000])
  })
})
