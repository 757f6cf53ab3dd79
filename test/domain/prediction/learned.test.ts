import assert from 'node:assert/strict'
import { Estimator } from '../../../src/domain/prediction/estimator.ts'
import { OutputShares } from '../../../src/domain/prediction/output-shares.ts'
import { runningOf, type WorkDone } from '../../../src/domain/prediction/work.ts'

/** A task of 10 prompt tokens and 10 tokens. */
const done = (ms_per_token: number): WorkDone => ({
  ...{ prompt_tokens: 10, max_tokens: 10, tokens_out: 10 },
  ...{ prefill_ms: 10, decode_ms: 9 * ms_per_token },
})
const shape = { prompt_tokens: 10, max_tokens: 10 }

describe('what was learned of a pool', () => {
  it('of a probe is what a token takes that came after another', () => {
    const estimator = new Estimator()
    estimator.probed({ prompt_tokens: 10, tokens_out: 10, prefill_ms: 10, decode_ms: 90 })
    assert.ok(Math.abs(estimator.outlook(runningOf([]), 0).serviceMs(shape) - 100) < 1e-9)
  })

  it('is worth to those that wait what it was once it is settled', () => {
    const estimator = new Estimator()
    const learn = (tasks: number, ms_per_token: number): number => {
      for (let i = 0; i < tasks; i++) estimator.observe(done(ms_per_token))
      return estimator.pace
    }
    estimator.work(shape)
    const before = learn(40, 10)
    assert.ok(learn(5, 100) > before, 'it is not settled yet')
    const settled = learn(20, 10)
    assert.equal(learn(100, 100), settled)
    assert.ok(estimator.outlook(runningOf([]), 0).serviceMs(shape) > 800)
  })

  it('of a task that pauses is all that it has still to generate, but for the next token', () => {
    const estimator = new Estimator()
    for (let i = 0; i < 20; i++) estimator.observe(done(10))
    const outlook = estimator.outlook(runningOf([]), 0)
    const left = (since_ms: number): number => Math.round(outlook.leftMs(shape, { tokens: 4, since_ms }, 6))
    assert.deepEqual([left(0), left(4), left(10), left(10_000)], [60, 56, 50, 50])
  })

  it('of those that arrive is how much of the slots they take, for as long as they come as often', () => {
    const estimator = new Estimator()
    for (let i = 0; i < 60; i++) estimator.observe(done(10))
    const work = estimator.work(shape)
    /** When an interactive task starts behind one, while batch tasks keep half of the slot busy. */
    const startAt = (now: number): number =>
      estimator.outlook(runningOf([]), now).predictStart({ position: 1, work_ms: work, may_pass: Infinity }, 'interactive', 1).mean
    const alone = startAt(0)
    let now = 0
    for (let i = 0; i < 200; i++) estimator.arrived('batch', work, (now += 200))
    const between = [startAt(now), startAt(now + 100), startAt(now + 199)]
    assert.ok((between[0] ?? 0) > 1.5 * alone, `${between[0]} of ${alone}`)
    assert.deepEqual(between, [between[0], between[0], between[0]], 'the next one is not late')
    assert.ok(startAt(now + 60_000) < 1.2 * alone, 'none has come for long')
  })
})

describe('lengths of answers', () => {
  it('come back as they were stored, and are believed as before where nothing was seen', () => {
    const seen = new OutputShares([1])
    for (const share of [0.1, 0.2, 0.2, 0.7]) seen.observe(share)
    const again = new OutputShares([1])
    again.restore(seen.stored)
    assert.deepEqual(again.stored, seen.stored)
    assert.deepEqual(again.left(100, 100, 15), seen.left(100, 100, 15))
    const nothing = new OutputShares([1])
    nothing.restore({ seen: 0, bins: [] })
    assert.equal(nothing.left(100, 100, 0).mean, 100)
  })
})
