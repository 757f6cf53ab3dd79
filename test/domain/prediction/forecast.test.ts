import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ends } from '../../../src/domain/prediction/ends.ts'
import { atOnce, forecastStart, onTimeChance, startMs, type Crew } from '../../../src/domain/prediction/forecast.ts'
import type { Moments } from '../../../src/domain/prediction/output-shares.ts'
import type { Ahead } from '../../../src/domain/queue/ahead.ts'
import { anyBusy, between, countedOneByOne } from './ends.kit.ts'

const ms = between(0, 1e5)
const some = between(1, 1e5)
const moments = fc.record({ mean: ms, variance: between(0, 1e9) })

/** What runs, as a crew has it. */
const run = (busy: readonly Moments[]): Pick<Crew, 'busy' | 'ends'> => ({ busy: busy.length, ends: () => new Ends(busy) })

const terms = fc.record({
  slots: fc.integer({ min: 0, max: 6 }),
  service_ms: some,
  relative_variance: between(0, 4),
  mean_variance: between(0, 1),
  load: between(0, 20),
})
const crew: fc.Arbitrary<Crew> = fc.tuple(fc.array(moments, { maxLength: 6 }), terms).map(([busy, rest]) => ({ ...run(busy), ...rest }))
const ahead: fc.Arbitrary<Ahead> = fc
  .record({ works: fc.array(ms, { maxLength: 30 }), may_pass: fc.oneof(fc.nat(200), fc.constant(Infinity)) })
  .map(({ works, may_pass }) => ({ position: works.length, work_ms: works.reduce((sum, work) => sum + work, 0), may_pass }))

/** When a task starts that waits behind `count` tasks of the same length, each of which goes to the slot that is free first: event by event. */
function simulate(count: number, work_ms: number, remaining: readonly number[], slots: number): number {
  const free = [...new Array<number>(slots - remaining.length).fill(0), ...remaining]
  for (let i = 0; i < count; i++) free[free.indexOf(Math.min(...free))]! += work_ms
  return Math.min(...free)
}

/** The same with exponential times, averaged over many runs: the slots end as one Poisson process. */
const exponential = (count: number, service_ms: number, slots: number): number => ((count + 1) * service_ms) / slots

/** Starts are found to within a hundred millionth of a service time, which may be minutes; they are told in whole ms. */
const hair_ms = 0.05

describe('forecast of a start', () => {
  it('is sane whatever is known, later with more work ahead, and never sooner for what may pass', () => {
    fc.assert(
      fc.property(ahead, crew, ms, (of, by, more) => {
        const start = forecastStart(of, by)
        for (const one of [start.ms, start.mean, start.variance]) assert.ok(one >= 0 && Number.isFinite(one), JSON.stringify(start))
        assert.ok(start.ms <= start.mean * (1 + 1e-9))
        assert.ok(startMs(start) >= 0 && Number.isInteger(startMs(start)))
        if (of.position > 0) assert.ok(forecastStart({ ...of, work_ms: of.work_ms + more }, by).mean >= start.mean * (1 - 1e-5) - hair_ms)
        assert.ok(forecastStart({ ...of, may_pass: 0 }, by).mean <= start.mean * (1 + 1e-5) + hair_ms)
      }),
      { numRuns: 2000 },
    )
  })

  it('is later behind one task more, however short it is, where service times scatter', () => {
    fc.assert(
      fc.property(ahead, crew, ms, between(0.1, 4), (of, by, more, relative_variance) => {
        const at = (one: Ahead): number => forecastStart({ ...one, may_pass: 0 }, { ...by, relative_variance }).mean
        assert.ok(at({ ...of, position: of.position + 1, work_ms: of.work_ms + more }) >= at(of) * (1 - 1e-5) - hair_ms)
      }),
      { numRuns: 1000 },
    )
  })

  it('is the exact start where all tasks take the same', () => {
    const parts = fc.array(fc.oneof(between(0, 1), between(0, 20)), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.integer({ min: 1, max: 10_000 }),
        parts,
        fc.integer({ min: 1, max: 6 }),
        (count, service_ms, begun, slots) => {
          const remaining = begun.slice(0, slots).map((part) => part * service_ms)
          const busy = run(remaining.map((mean) => ({ mean, variance: 0 })))
          const start = forecastStart(
            { position: count, work_ms: count * service_ms, may_pass: 0 },
            { ...busy, slots, service_ms, relative_variance: 0, mean_variance: 0, load: 0 },
          )
          const real = simulate(count, service_ms, remaining, slots)
          assert.ok(Math.abs(start.ms - real) <= 1e-4 * service_ms, `${start.ms}, but ${real}`)
          assert.equal(start.variance, 0)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('is the mean start of a Poisson process where service times are exponential', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 16 }), (count, service_ms, slots) => {
        const busy = run(new Array<Moments>(slots).fill({ mean: service_ms, variance: service_ms * service_ms }))
        const start = forecastStart(
          { position: count, work_ms: count * service_ms, may_pass: 0 },
          { ...busy, slots, service_ms, relative_variance: 1, mean_variance: 0, load: 0 },
        )
        const mean = exponential(count, service_ms, slots)
        assert.ok(Math.abs(start.mean / mean - 1) < 1e-4, `${start.mean}, but ${mean}`)
        assert.ok(Math.abs(start.variance / (((count + 1) * service_ms * service_ms) / (slots * slots)) - 1) < 1e-4)
      }),
    )
  })

  it('is the time by which so many dispatches are expected, counted one by one, whatever runs', () => {
    fc.assert(
      fc.property(anyBusy, fc.nat(1000), some, between(0.1, 4), (busy, position, service_ms, relative_variance) => {
        fc.pre(position > 0 || busy.length > 1)
        const by = { ...run(busy), slots: busy.length, service_ms, relative_variance, mean_variance: 0, load: 0 }
        const { mean } = forecastStart({ position, work_ms: position * service_ms, may_pass: 0 }, by)
        fc.pre(busy.length > 1)
        const idle_ms = (service_ms * (1 - Math.min(1, relative_variance))) / 2
        const soonest = busy.length / busy.reduce((sum, one) => sum + 1 / Math.max(1e-3, one.mean), 0)
        const each_ms = (soonest + position * service_ms) / (position + 1)
        const dispatches = (t: number): number => countedOneByOne(busy, t).count + countedOneByOne(busy, t - idle_ms).since_ms / each_ms
        // What has ended is known to within a ten billionth of all that runs.
        const slack = (1e-10 * busy.reduce((sum, one) => sum + one.mean, 0)) / each_ms
        assert.ok(dispatches(mean * (1 + 1e-6) + 1e-6 * each_ms) >= position + 1 - 2e-6 - slack, 'not later')
        assert.ok(dispatches(mean * (1 - 1e-6) - 1e-6 * each_ms) < position + 1 - 0.9e-6 + slack, 'not sooner')
      }),
      { numRuns: 500 },
    )
  })

  it('is when those that run have ended where that is enough, however long it takes until the next ends', () => {
    const busy = run([{ mean: 0.9, variance: 0.36 }])
    const at = (work_ms: number): number =>
      forecastStart(
        { position: 1, work_ms, may_pass: 0 },
        { ...busy, slots: 2, service_ms: 100_000, relative_variance: 0.07, mean_variance: 0, load: 0 },
      ).mean
    for (const work_ms of [0.7, 10, 1000, 20_000]) assert.ok(at(work_ms) > 0.9 && at(work_ms) < 20, `${at(work_ms)} behind ${work_ms} ms`)
  })

  it('is on one slot what is left there and the work ahead, however much service times scatter', () => {
    fc.assert(
      fc.property(ahead, ms, between(0, 4), (of, left, relative_variance) => {
        const busy = run([{ mean: left, variance: left * left * relative_variance }])
        const by = { ...busy, slots: 1, service_ms: 100, relative_variance, mean_variance: 0, load: 0 }
        assert.ok(Math.abs(forecastStart(of, by).mean - (left + of.work_ms)) < 1e-6)
      }),
    )
  })

  it('counts on later arrivals of the other class: they take their share of the slots, as many as may pass', () => {
    const busy = run([{ mean: 100, variance: 10_000 }])
    const by = { ...busy, slots: 1, service_ms: 100, relative_variance: 1, mean_variance: 0, load: 0.5 }
    const at = (may_pass: number, load = 0.5): number => forecastStart({ position: 9, work_ms: 900, may_pass }, { ...by, load }).mean
    assert.ok(Math.abs(at(0) - 1000) < 1)
    assert.ok(Math.abs(at(1000) - 2000) < 2, 'half the slot is taken')
    assert.ok(Math.abs(at(1) - 1100) < 2, 'by one task at most')
    assert.ok(Math.abs(at(1000, 0) - 1000) < 1)
    assert.ok(at(Infinity, 100) < 1e5, 'but never for ever')
  })
})

describe('chance to be on time', () => {
  it('is a chance, and grows with the time that is left', () => {
    fc.assert(
      fc.property(moments, moments, ms, ms, (wait, service, left_ms, more) => {
        const start = { ms: wait.mean, ...wait }
        const chance = onTimeChance(start, service, left_ms)
        assert.ok(chance >= 0 && chance <= 1, `${chance}`)
        assert.ok(onTimeChance(start, service, left_ms + more) >= chance - 1e-9)
        assert.equal(onTimeChance(start, service, -1), 0)
      }),
      { numRuns: 2000 },
    )
  })

  it('agrees with known gamma distributions', () => {
    // Gamma with shapes 1 (exponential), 4 and 25 and mean 1, at half, once and twice the mean.
    for (const [shape, at, chance] of [
      [1, 0.5, 0.3935],
      [1, 1, 0.6321],
      [1, 2, 0.8647],
      [4, 0.5, 0.1429],
      [4, 1, 0.5665],
      [4, 2, 0.9576],
      [25, 1, 0.5266],
    ] as const)
      assert.ok(Math.abs(onTimeChance(atOnce, { mean: 100, variance: 10_000 / shape }, 100 * at) - chance) < 0.015, `${shape} ${at}`)
  })

  it('is a plain yes or no where nothing is uncertain', () => {
    const start = { ms: 100, mean: 100, variance: 0 }
    assert.equal(onTimeChance(start, { mean: 50, variance: 0 }, 150), 1)
    assert.equal(onTimeChance(start, { mean: 50, variance: 0 }, 149), 0)
    assert.equal(onTimeChance(atOnce, { mean: 0, variance: 0 }, 0), 1)
  })
})
