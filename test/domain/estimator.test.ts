import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Estimator, startMs, type WorkDone } from '../../src/domain/estimator.ts'

const ms = fc.double({ min: 0, max: 1e5, noNaN: true })
const slots = fc.integer({ min: 1, max: 6 })
const busy = fc.array(fc.double({ min: -100, max: 1e4, noNaN: true }), { maxLength: 6 })

/** When a task starts that waits behind `works`, each of which goes to the slot that is free first: event by event. */
function simulate(works: readonly number[], remaining: readonly number[], count: number): number {
  const free = [...new Array<number>(Math.max(0, count - remaining.length)).fill(0), ...remaining.map((left) => Math.max(0, left))]
  const earliest = (): number => free.indexOf(Math.min(...free))
  for (const work of works) free[earliest()]! += work
  return Math.min(...free)
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

describe('estimator: predicted start', () => {
  it('is exact with nothing ahead, and with one slot', () => {
    fc.assert(
      fc.property(fc.array(ms, { maxLength: 10 }), busy, slots, (works, remaining, count) => {
        const running = remaining.slice(0, count)
        assert.equal(startMs(0, running, count), simulate([], running, count))
        const one = running.slice(0, 1)
        assert.ok(Math.abs(startMs(sum(works), one, 1) - simulate(works, one, 1)) < 1e-6)
      }),
    )
  })

  it('is never before what events give by more than one task, and never after it by rounding', () => {
    fc.assert(
      fc.property(fc.array(ms, { maxLength: 12 }), busy, slots, (works, remaining, count) => {
        const running = remaining.slice(0, count)
        const predicted = startMs(sum(works), running, count)
        const real = simulate(works, running, count)
        assert.ok(real <= predicted + 1e-6, `${real} > ${predicted}`)
        assert.ok(predicted <= real + Math.max(0, ...works) + 1e-6, `${predicted} is too late for ${real}`)
      }),
      { numRuns: 2000 },
    )
  })

  it('is later with more work and longer runs, and sooner with more slots', () => {
    fc.assert(
      fc.property(ms, ms, busy, slots, (work, more, remaining, count) => {
        const running = remaining.slice(0, count)
        const base = startMs(work, running, count)
        assert.ok(base >= 0 && Number.isFinite(base))
        assert.ok(startMs(work + more, running, count) >= base - 1e-6)
        assert.ok(
          startMs(
            work,
            running.map((left) => left + more),
            count,
          ) >=
            base - 1e-6,
        )
        assert.ok(startMs(work, running, count + 1) <= base + 1e-6)
      }),
      { numRuns: 1000 },
    )
  })
})

const shape = fc.record({
  prompt_tokens: fc.nat(4000),
  max_tokens: fc.integer({ min: 1, max: 4000 }),
  expected_tokens: fc.option(fc.integer({ min: 1, max: 8000 }), { nil: undefined }),
})
const done: fc.Arbitrary<WorkDone> = fc
  .record({ shape, tokens_out: fc.nat(4000), prefill_ms: ms, decode_ms: ms, predicted_service_ms: ms })
  .map(({ shape: of, tokens_out, ...rest }) => ({ ...of, ...rest, tokens_out: Math.min(tokens_out, of.max_tokens) }))

/** A task of an engine that needs 2 ms a prompt token and 30 ms a token, and uses a quarter of max_tokens. */
function steady(prompt_tokens: number, max_tokens: number, predicted_service_ms: number): WorkDone {
  const tokens_out = max_tokens / 4
  return { prompt_tokens, max_tokens, tokens_out, prefill_ms: prompt_tokens * 2, decode_ms: (tokens_out - 1) * 30, predicted_service_ms }
}

describe('estimator', () => {
  it('says sane numbers whatever it has seen', () => {
    fc.assert(
      fc.property(fc.array(done, { maxLength: 30 }), shape, ms, ms, (seen, of, start_ms, left_ms) => {
        const estimator = new Estimator()
        for (const one of seen) estimator.observe(one)
        const service_ms = estimator.serviceMs(of)
        assert.ok(service_ms >= 0 && Number.isFinite(service_ms))
        assert.ok(estimator.serviceMs({ ...of, prompt_tokens: of.prompt_tokens + 1 }) >= service_ms)
        assert.ok(estimator.serviceMs({ ...of, max_tokens: of.max_tokens + 1 }) >= service_ms)
        for (const left of [-1e9, -1, 0, left_ms, 1e9, Infinity]) {
          const chance = estimator.onTimeProbability(start_ms, service_ms, left)
          assert.ok(chance >= 0 && chance <= 1, `${chance}`)
        }
        assert.ok(estimator.onTimeProbability(start_ms, service_ms, -1e9) < 0.01 || service_ms + start_ms > 1e7)
      }),
      { numRuns: 500 },
    )
  })

  it('finds it likelier to be on time with more time left, and less likely the longer it waits', () => {
    const estimator = new Estimator()
    fc.assert(
      fc.property(ms, fc.double({ min: 1, max: 1e5, noNaN: true }), ms, ms, (start_ms, service_ms, left_ms, more) => {
        const chance = estimator.onTimeProbability(start_ms, service_ms, left_ms)
        assert.ok(estimator.onTimeProbability(start_ms, service_ms, left_ms + more) >= chance)
        if (left_ms >= start_ms + service_ms + more) assert.ok(estimator.onTimeProbability(start_ms + more, service_ms, left_ms) <= chance)
      }),
      { numRuns: 3000 },
    )
    assert.ok(Math.abs(estimator.onTimeProbability(100, 100, 200) - 0.5) < 1e-6)
    assert.equal(estimator.onTimeProbability(0, 0, 0), 1)
    assert.equal(estimator.onTimeProbability(0, 0, -1), 0)
  })

  it('agrees with known values of the normal distribution', () => {
    const estimator = new Estimator()
    // Before anything was seen the relative deviation is 0.5, so with nothing to wait for a service of 100 ms deviates by 50 ms.
    for (const [z, chance] of [
      [-3, 0.0013499],
      [-1, 0.1586553],
      [0.5, 0.6914625],
      [1.96, 0.9750021],
    ] as const)
      assert.ok(Math.abs(estimator.onTimeProbability(0, 100, 100 + z * 50) - chance) < 1e-6)
  })

  it('learns rates and the share that is used from the first task on, and keeps to them', () => {
    const estimator = new Estimator()
    const of = { prompt_tokens: 100, max_tokens: 400 }
    for (let i = 0; i < 50; i++) {
      estimator.observe(steady(50 + i, 80 + 4 * i, estimator.serviceMs({ prompt_tokens: 50 + i, max_tokens: 80 + 4 * i })))
      assert.ok(Math.abs(estimator.serviceMs(of) - (100 * 2 + 100 * 30)) < 1e-6)
    }
    // Its predictions have been right ever since, so it is sure of them.
    assert.ok(estimator.onTimeProbability(0, 1000, 1300) > 0.99)
    assert.ok(estimator.onTimeProbability(0, 1000, 700) < 0.01)
  })

  it('follows an engine that has become slower', () => {
    const estimator = new Estimator()
    const of = { prompt_tokens: 100, max_tokens: 400 }
    for (let i = 0; i < 30; i++) estimator.observe(steady(100, 400, estimator.serviceMs(of)))
    const before = estimator.serviceMs(of)
    for (let i = 0; i < 60; i++) estimator.observe({ ...steady(100, 400, before), prefill_ms: 400, decode_ms: 99 * 60 })
    assert.ok(Math.abs(estimator.serviceMs(of) / before - 2) < 0.01)
  })

  it('takes the client at its word: expected_tokens scales the answer', () => {
    const estimator = new Estimator()
    const short = estimator.serviceMs({ prompt_tokens: 0, max_tokens: 1000, expected_tokens: 10 })
    assert.ok(short < estimator.serviceMs({ prompt_tokens: 0, max_tokens: 1000 }))
    assert.ok(
      estimator.serviceMs({ prompt_tokens: 0, max_tokens: 10, expected_tokens: 1e6 }) <=
        estimator.serviceMs({ prompt_tokens: 0, max_tokens: 20 }),
    )
  })
})
