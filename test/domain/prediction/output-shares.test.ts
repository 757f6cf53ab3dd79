import assert from 'node:assert/strict'
import fc from 'fast-check'
import { OutputShares } from '../../../src/domain/prediction/output-shares.ts'

const share = fc.double({ min: 0, max: 4, noNaN: true })
const tokens = fc.integer({ min: 1, max: 10_000 })

const having = (seen: readonly number[]): OutputShares => {
  const shares = new OutputShares([0.1, 0.5, 0.9])
  for (const one of seen) shares.observe(one)
  return shares
}

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
      fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 }), (seen) => {
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
})
