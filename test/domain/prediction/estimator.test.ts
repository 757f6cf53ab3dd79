import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Estimator } from '../../../src/domain/prediction/estimator.ts'
import type { Outlook } from '../../../src/domain/prediction/outlook.ts'
import { runningOf, waiting, type WorkDone } from '../../../src/domain/prediction/work.ts'
import { atOnce } from '../../../src/domain/prediction/forecast.ts'
import { between } from './ends.kit.ts'

const ms = between(0, 1e5)

const shape = fc.record({
  prompt_tokens: fc.nat(4000),
  max_tokens: fc.integer({ min: 1, max: 4000 }),
  expected_tokens: fc.option(fc.integer({ min: 1, max: 8000 }), { nil: undefined }),
  open: fc.boolean(),
})
const done: fc.Arbitrary<WorkDone> = fc
  .record({ shape, tokens_out: fc.nat(4000), prefill_ms: ms, decode_ms: ms })
  .map(({ shape: of, tokens_out, ...rest }) => ({ ...of, ...rest, tokens_out: Math.min(tokens_out, of.max_tokens) }))

/** A task of an engine that needs 2 ms a prompt token and 30 ms a token, and uses a quarter of max_tokens. */
function steady(prompt_tokens: number, max_tokens: number): WorkDone {
  const tokens_out = max_tokens / 4
  return { prompt_tokens, max_tokens, tokens_out, prefill_ms: prompt_tokens * 2, decode_ms: (tokens_out - 1) * 30 }
}

/** What is expected while nothing runs. */
const outlook = (estimator: Estimator): Outlook => estimator.outlook(runningOf([]), 0)

describe('estimator', () => {
  it('says sane numbers whatever it has seen', () => {
    fc.assert(
      fc.property(
        fc.array(done, { maxLength: 30 }),
        shape,
        fc.record({ tokens: fc.nat(5000), since_ms: ms }),
        ms,
        ms,
        (seen, of, progress, start_ms, left_ms) => {
          const estimator = new Estimator()
          for (const one of seen) estimator.observe(one)
          const service_ms = outlook(estimator).serviceMs(of)
          assert.ok(service_ms >= 0 && Number.isFinite(service_ms))
          assert.ok(outlook(estimator).serviceMs({ ...of, prompt_tokens: of.prompt_tokens + 1 }) >= service_ms)
          assert.ok(outlook(estimator).serviceMs({ ...of, max_tokens: of.max_tokens + 1 }) >= service_ms - 1e-6)
          const { mean, variance } = outlook(estimator).left(of, progress)
          assert.ok(mean >= 0 && variance >= 0 && Number.isFinite(mean + variance))
          const start = { ms: start_ms, mean: start_ms, variance: start_ms * start_ms }
          let before = 0
          for (const left of [-1, 0, left_ms, 2 * left_ms, 1e9]) {
            const chance = outlook(estimator).onTimeProbability(start, of, progress, left)
            assert.ok(chance >= before - 1e-9 && chance <= 1, `${chance}`)
            before = chance
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('learns how long open answers are, whatever room they had and whatever the others use', () => {
    const estimator = new Estimator()
    const rate = { prefill_ms: 0, prompt_tokens: 0 }
    for (let i = 0; i < 60; i++) {
      estimator.observe({ ...rate, open: true, max_tokens: 500 * (1 + (i % 16)), tokens_out: 31, decode_ms: 300 })
      estimator.observe({ ...rate, max_tokens: 64, tokens_out: 32, decode_ms: 310 })
    }
    for (const max_tokens of [40, 8000, 120_000])
      assert.ok(Math.abs(outlook(estimator).serviceMs({ prompt_tokens: 0, max_tokens, open: true }) - 300) < 1e-6)
    assert.ok(Math.abs(outlook(estimator).serviceMs({ prompt_tokens: 0, max_tokens: 640 }) - 3190) < 1e-6)
    // No more than it may have.
    assert.ok(Math.abs(outlook(estimator).serviceMs({ prompt_tokens: 0, max_tokens: 11, open: true }) - 100) < 1e-6)
  })

  it('learns rates and the share that is used from the first task on, keeps to them and is sure of them', () => {
    const estimator = new Estimator()
    const of = { prompt_tokens: 100, max_tokens: 400 }
    for (let i = 0; i < 50; i++) {
      estimator.observe(steady(48 + i, 80 + 4 * i))
      assert.ok(Math.abs(outlook(estimator).serviceMs(of) - (100 * 2 + 99 * 30)) < 1e-6)
    }
    assert.equal(outlook(estimator).onTimeProbability(atOnce, of, waiting, 3171), 1)
    assert.equal(outlook(estimator).onTimeProbability(atOnce, of, waiting, 3169), 0)
    assert.ok(Math.abs(outlook(estimator).left(of, { tokens: 0, since_ms: 50 }).mean - (150 + 99 * 30)) < 1e-6)
    assert.ok(Math.abs(outlook(estimator).left(of, { tokens: 40, since_ms: 10 }).mean - (60 * 30 - 10)) < 1e-6)
  })

  it('follows an engine that has become slower', () => {
    const estimator = new Estimator()
    const of = { prompt_tokens: 100, max_tokens: 400 }
    for (let i = 0; i < 30; i++) estimator.observe(steady(100, 400))
    const before = outlook(estimator).serviceMs(of)
    for (let i = 0; i < 60; i++) estimator.observe({ ...steady(100, 400), prefill_ms: 400, decode_ms: 99 * 60 })
    assert.ok(Math.abs(outlook(estimator).serviceMs(of) / before - 2) < 0.01)
  })

  it('takes the client at its word: expected_tokens scales the answer, max_tokens bounds it', () => {
    const estimator = new Estimator()
    const short = outlook(estimator).serviceMs({ prompt_tokens: 0, max_tokens: 1000, expected_tokens: 10 })
    assert.ok(short < outlook(estimator).serviceMs({ prompt_tokens: 0, max_tokens: 1000 }))
    assert.ok(outlook(estimator).serviceMs({ prompt_tokens: 0, max_tokens: 10, expected_tokens: 1e6 }) <= 9 * 20)
  })

  it('refuses nobody before it has seen a few tasks, and then only who has hardly a chance', () => {
    const estimator = new Estimator()
    for (let i = 0; i < 4; i++) estimator.observe(steady(100, 400))
    assert.equal(estimator.admits(0), true)
    estimator.observe(steady(100, 400))
    assert.deepEqual(
      [0, 0.09, 0.1, 1].map((chance) => estimator.admits(chance)),
      [false, false, true, true],
    )
  })

  it('knows of a first token that is late by any time that it is late again by as much, and of no end before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 3_600_000 }), (prompt_tokens, late_ms) => {
        const of = { prompt_tokens, max_tokens: 1 }
        const estimator = new Estimator()
        const running = { shape: of, progress: { tokens: 0, since_ms: estimator.outlook(runningOf([]), 0).serviceMs(of) + late_ms } }
        const { mean } = estimator.outlook(runningOf([running]), 0).left(of, running.progress)
        assert.ok(Math.abs(mean - late_ms) < 1e-6 * (late_ms + prompt_tokens), `${mean}, but ${late_ms}`)
      }),
    )
  })

  it('looks at nothing that runs where a slot is free and enough is known', () => {
    const estimator = new Estimator()
    for (let i = 0; i < 100; i++) estimator.observe(steady(10, 40))
    const works = (): never => assert.fail('what runs was looked at')
    const seen = estimator.outlook({ size: 30, works }, 0)
    const start = seen.predictStart({ position: 0, work_ms: 0, may_pass: 0 }, 'interactive', 31)
    assert.deepEqual(start, atOnce)
    assert.ok(seen.onTimeProbability(start, steady(10, 40), waiting, 1e6) > 0.9)
  })

  it('takes the rate of a running task for the one of those that wait, whatever it believed before, until tasks have ended', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), fc.integer({ min: 1, max: 5000 }), (tokens, token_ms) => {
        const of = { prompt_tokens: 1, max_tokens: 100 }
        const progress = { tokens, since_ms: 0, took: { prefill_ms: token_ms, decode_ms: (tokens - 1) * token_ms } }
        const estimator = new Estimator()
        const work_ms = estimator.work(of)
        const cold = estimator.outlook(runningOf([{ shape: of, progress }]), 0)
        assert.equal(cold.basis, 'running')
        assert.ok(Math.abs(cold.pace * work_ms - 100 * token_ms) < 1e-6 * token_ms)
        assert.ok(Math.abs(cold.left(of, progress).mean - (100 - tokens) * token_ms) < 1e-6 * token_ms)
      }),
    )
  })

  it('keeps the worth of what waits once fifty have ended', () => {
    const estimator = new Estimator()
    const of = { prompt_tokens: 100, max_tokens: 400 }
    const work_ms = estimator.work(of)
    for (let i = 0; i < 50; i++) estimator.observe(steady(100, 400))
    assert.ok(Math.abs(estimator.pace * work_ms - (200 + 99 * 30)) < 1e-6)
    const { pace } = estimator
    for (let i = 0; i < 60; i++) estimator.observe({ ...steady(100, 400), decode_ms: 99 * 60 })
    assert.equal(estimator.pace, pace)
    assert.ok(Math.abs(estimator.work(of) * pace - outlook(estimator).serviceMs(of)) < 1e-6)
  })
})
