import assert from 'node:assert/strict'
import fc from 'fast-check'
import { trendOf } from '../../bench/trend.ts'

const length = 250
/** Of a two-sided test at 5 %. */
const student = 2.01

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const normal = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Noise of standard deviation 1 that has so much of the value before, or a walk. */
const alike =
  (share: number) =>
  (random: () => number): number[] => {
    let value = 0
    const values = Array.from({ length: length + 200 }, () => (value = share * value + normal(random))).slice(200)
    return share === 1 ? values : values.map((one) => one * Math.sqrt(1 - share ** 2))
  }

/** A heap: it grows for so many looks, and falls. */
const sawtooth =
  (looks: number) =>
  (random: () => number): number[] => {
    let value = random()
    return Array.from({ length }, () => (value = value > 1 ? random() * 0.2 : value + (0.5 + random()) / looks))
  }

/** Steps up and down that stay, each look a little off. */
const ratchet = (random: () => number): number[] => {
  let value = 0
  return Array.from({ length }, () => {
    const step = random()
    value += step < 0.1 ? 0.1 : step > 0.9 ? -0.1 : 0
    return value + normal(random) * 0.05
  })
}

/** In how many of 400 series of a kind the trend is so many standard errors from the true one. */
function missed(kind: (random: () => number) => number[], leak = 0): { readonly truth: number; readonly zero: number } {
  const [random, series] = [randomOf(1), 400]
  let [truth, zero] = [0, 0]
  for (let n = 0; n < series; n++) {
    const { slope, error } = trendOf(kind(random).map((value, i) => value + leak * i))
    if (Math.abs(slope - leak) > student * error) truth++
    if (slope > student * error) zero++
  }
  return { truth: truth / series, zero: zero / series }
}

describe('the trend of a series', () => {
  const kinds = { ...{ 'independent noise': alike(0), 'noise alike by half': alike(0.5), 'noise alike by 0.9': alike(0.9) } }
  for (const [name, kind] of Object.entries({
    ...{ ...kinds, 'noise alike by 0.97': alike(0.97), 'a sawtooth of 10 looks': sawtooth(10), 'a sawtooth of 40 looks': sawtooth(40) },
  }))
    it(`is zero within its error in ${name}, in as many of all series as is promised`, () => {
      const { truth, zero } = missed(kind)
      assert.ok(truth <= 0.1, `${truth} of the series miss it`)
      assert.ok(zero <= 0.05, `${zero} of the series would be called a leak`)
    })

  for (const [name, kind] of Object.entries({ 'a walk': alike(1), 'a ratchet': ratchet }))
    it(`is seldom called a leak in ${name}, which looks like one`, () => {
      const { zero } = missed(kind)
      assert.ok(zero <= 0.1, `${zero} of the series would be called a leak`)
    })

  for (const [name, kind] of Object.entries(kinds))
    it(`is found beside ${name} where it grows by ten standard deviations`, () => {
      const { truth, zero } = missed(kind, 10 / length)
      assert.ok(truth <= 0.1, `${truth} of the series miss it`)
      assert.ok(zero >= 0.8, `found in ${zero} of the series`)
    })

  it('moves and grows with the series, and knows a line', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: length, maxLength: length })
    fc.assert(
      fc.property(values, fc.integer({ min: -100, max: 100 }), fc.integer({ min: 1, max: 100 }), (series, up, times) => {
        const { slope, error } = trendOf(series)
        const other = trendOf(series.map((value) => value * times + up))
        const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * (Math.abs(b) + times)
        assert.ok(near(other.slope, slope * times) && near(other.error, error * times))
        const line = trendOf(series.map((_, i) => up + times * i))
        assert.ok(near(line.slope, times) && near(line.error, 0))
      }),
    )
  })

  it('is nothing where nothing moves', () => assert.deepEqual(trendOf(Array<number>(length).fill(290)), { slope: 0, error: 0 }))
})
