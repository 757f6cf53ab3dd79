import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Account, affordableTokens, costNano } from '../../../src/domain/accounts/budget.ts'

const price = fc.constantFrom(0, 0.07, 0.2, 1, 3, 1000, 1_000_000)
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })

describe('what a task may generate with what its budgets have left', () => {
  it('is what an account does not lack, and not one token more', () => {
    const limits = fc.record({ tokens: optional(fc.integer({ min: 1, max: 500 })), cost: optional(fc.integer({ min: 1, max: 5_000_000 })) })
    const prices = optional(fc.record({ input_per_million: price, output_per_million: price }))
    fc.assert(
      fc.property(limits, prices, fc.nat(600), fc.nat(400), fc.nat(100_000), ({ tokens, cost }, given, prompt, spent, paid) => {
        const budgets = { ...(tokens === undefined ? {} : { tokens }), ...(cost === undefined ? {} : { cost: cost / 1e9 }) }
        const account = new Account(budgets, { tokens: spent, cost_nano: paid, time_ms: 0 })
        const fits = (out: number): boolean =>
          account.lacks({ tokens: prompt + out, cost_nano: costNano(given, prompt, out) }, 0) === undefined
        const most = affordableTokens(account.remaining(0), given, prompt)
        assert.ok(most >= 1)
        // Where there is nothing left, one is asked for and refused.
        assert.equal(fits(Math.min(most, 1_000_000)), fits(1))
        if (most < Infinity) assert.ok(!fits(most + 1))
      }),
      { numRuns: 500 },
    )
  })
})
