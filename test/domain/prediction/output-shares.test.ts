import assert from 'node:assert/strict'
import fc from 'fast-check'
import { OutputShares } from '../../../src/domain/prediction/output-shares.ts'
import { between } from './ends.kit.ts'

const share = between(0, 4)
const tokens = fc.integer({ min: 1, max: 10_000 })

const having = (seen: readonly number[]): OutputShares => {
  const shares = new OutputShares([0.1, 0.5, 0.9])
  for (const one of seen) shares.observe(one)
  return shares
}

const beside = (shares: OutputShares, running: readonly number[]): OutputShares => shares.beside(running.length, () => running)

describe('output shares', () => {
  it('never say that less than nothing is left, nor more than is allowed', () => {
    fc.assert(
      fc.property(fc.array(share, { maxLength: 40 }), tokens, tokens, fc.nat(12_000), (seen, asked, most, produced) => {
        const shares = having(seen)
        const { mean, variance } = shares.left(asked, most, produced)
        assert.ok(mean >= 0 && mean <= Math.max(0, most - produced), `${mean}`)
        assert.ok(variance >= 0 && Number.isFinite(variance), `${variance}`)
        assert.ok(Math.abs(shares.expect(asked, most, produced, () => 1) - 1) < 1e-9)
        assert.equal(
          shares.expect(asked, most, produced, () => 0),
          0,
        )
      }),
      { numRuns: 1000 },
    )
  })

  it('are the plain mean and variance of the first fifty', () => {
    fc.assert(
      fc.property(fc.array(between(0.01, 1), { minLength: 1, maxLength: 50 }), (seen) => {
        const mean = seen.reduce((sum, one) => sum + one, 0) / seen.length
        const variance = seen.reduce((sum, one) => sum + (one - mean) ** 2, 0) / seen.length
        const left = having(seen).left(1000, 1000, 0)
        assert.ok(Math.abs(left.mean - 1000 * mean) < 1e-6)
        assert.ok(Math.abs(left.variance - 1e6 * variance) < 1e-3)
      }),
    )
  })

  it('know of a long answer that it is one of the long ones: E[X - x | X > x]', () => {
    const shares = having([0.05, 0.05, 0.05, 0.4, 0.8])
    assert.ok(Math.abs(shares.left(1000, 1000, 0).mean - 270) < 1e-6)
    assert.ok(Math.abs(shares.left(1000, 1000, 60).mean - (600 - 60)) < 1e-6)
    assert.ok(Math.abs(shares.left(1000, 1000, 500).mean - (800 - 500)) < 1e-6)
    assert.equal(shares.left(1000, 1000, 900).mean, 50, 'none was ever that long: half of the rest')
    assert.equal(shares.left(1000, 1000, 1000).mean, 0)
    assert.ok(Math.abs(shares.expect(1000, 1000, 60, (left) => (left <= 400 ? 1 : 0)) - 0.5) < 1e-9)
  })

  it('forget: what has changed shows after a hundred tasks', () => {
    const shares = having(new Array<number>(300).fill(0.2))
    for (let i = 0; i < 100; i++) shares.observe(0.6)
    const { mean } = shares.left(1000, 1000, 0)
    assert.ok(mean > 500 && mean < 600, `${mean}`)
  })

  it('take what runs for longer than it is: as Kaplan and Meier estimate, with the longest as Efron has it', () => {
    const some = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }), some, (ends, runs) => {
        // A length in a bin of its own each, four bins to a doubling: 2^(i/4), and a little more, so that rounding moves none.
        const share = (i: number): number => 2 ** (i / 4 - 7) * 1.01
        const going = runs.map((i) => share(i) * 1.001)
        const { mean } = beside(having(ends.map(share)), going).left(1e6, 1e9, 0)
        const real = 1e6 * meanOf(ends.map(share), going)
        assert.ok(Math.abs(mean / real - 1) < 1e-6, `${mean}, but ${real}`)
        // What runs never makes answers look shorter than what has ended does.
        assert.ok(mean >= having(ends.map(share)).left(1e6, 1e9, 0).mean * (1 - 1e-9))
      }),
      { numRuns: 500 },
    )
  })

  it('learn nothing of what has only begun, and nothing of what runs once many have ended', () => {
    const few = having([0.2, 0.4, 0.9])
    assert.ok(Math.abs(beside(few, [0, 0, 0.01]).left(1000, 1000, 0).mean - 500) < 1e-6)
    const many = having(new Array<number>(60).fill(0.2))
    assert.equal(beside(many, [0.9]), many)
    const unasked = (): never => assert.fail('what runs was looked at')
    assert.equal(many.beside(10, unasked), many)
    assert.equal(beside(having([]), [0.9]).left(1000, 1000, 0).mean, 500, 'nor where none has ended')
  })

  it('are not too short after the first ends of many that began together', () => {
    // The lengths 1 to 100, of which those up to 30 have ended: the rest runs and is 30 long.
    const ends = Array.from({ length: 30 }, (_, i) => (i + 1) / 100)
    const alone = having(ends).left(100, 100, 0).mean
    const mean = beside(having(ends), new Array<number>(70).fill(0.301)).left(100, 100, 0).mean
    assert.ok(alone < 16 && mean > 25 && mean < 50.5, `${alone} and ${mean}`)
  })
})

/** The mean by the product limit, end by end: those that run leave who is at risk where they are; the longest of all counts as ended. */
function meanOf(ends: readonly number[], runs: readonly number[]): number {
  const longest = Math.max(...ends)
  const all = [...ends.map((at) => ({ at, ended: true })), ...runs.map((at) => ({ at, ended: at > longest }))].sort((a, b) => a.at - b.at)
  let surviving = 1
  let mean = 0
  for (const [i, { at, ended }] of all.entries()) {
    if (!ended) continue
    const part = surviving / (all.length - i)
    mean += at * part
    surviving -= part
  }
  return mean
}
