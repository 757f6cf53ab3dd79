import assert from 'node:assert/strict'
import fc from 'fast-check'
import { repeats } from '../../harness/long.ts'
import {
  Account,
  budgetFields,
  budgetHeaders,
  costNano,
  tightest,
  type Budgets,
  type Remaining,
  type Usage,
} from '../../../src/domain/accounts/budget.ts'
import { AccountModel, nanoOf } from './budget.model.ts'

// 500 plans of at least 100 commands: 50,000 and more in a run.
const runs = { numRuns: 500 }
const commands = { minLength: 100, maxLength: 200 }

const accounts = 3
const which = fc.nat(accounts - 1)
// Quarters of a millisecond: sums of them are exact, so times can be compared as they are.
const pause = fc.nat(400).map((quarters) => quarters / 4)
const usage: fc.Arbitrary<Usage> = fc.record({ tokens: fc.nat(30), cost_nano: fc.nat(5000) })
const limits: fc.Arbitrary<Budgets> = fc.record(
  {
    tokens: fc.integer({ min: 1, max: 300 }),
    time_ms: fc.integer({ min: 1, max: 3000 }),
    cost: fc.integer({ min: 1000, max: 50_000 }).map((nano) => nano / 1e9),
  },
  { requiredKeys: [] },
)
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('admit' as const), a: which, b: which, usage }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('readmit' as const), a: which, b: which, usage }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const), pick: fc.nat(), used: usage }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('begin' as const), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), pause }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), a: which, limits }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** A task with a hold on one or two accounts, as on a session and a key. */
interface Holder {
  readonly on: readonly number[]
  readonly usage: Usage
  running: boolean
}

/** Accounts and their models, changed side by side. */
class Pair {
  private now = Date.UTC(2026, 0, 1)
  private readonly real: Account[]
  private readonly model: AccountModel[]
  private readonly holders: Holder[] = []

  constructor(all: readonly Budgets[]) {
    this.real = all.map((one) => new Account(one))
    this.model = all.map((one) => new AccountModel(one))
  }

  run(step: Command): void {
    const { now } = this
    if (step.do === 'wait') this.now += step.pause
    else if (step.do === 'renew') {
      this.real[step.a]!.renew(step.limits, now)
      this.model[step.a]!.renew(step.limits, now)
    } else if (step.do === 'admit' || step.do === 'readmit') this.admit([...new Set([step.a, step.b])], step.usage, step.do === 'readmit')
    else {
      const holder = this.holders[step.pick % Math.max(1, this.holders.length)]
      if (holder === undefined) return
      if (step.do === 'settle') this.settle(holder, step.used)
      else if (holder.running !== (step.do === 'begin')) this.turn(holder, step.do === 'begin')
    }
    this.compare()
  }

  private admit(on: readonly number[], usage: Usage, forced: boolean): void {
    for (const i of on) assert.equal(this.real[i]!.lacks(usage, this.now), this.model[i]!.lacks(usage, this.now))
    const allowed = on.every((i) => this.model[i]!.lacks(usage, this.now) === undefined)
    if (!allowed && !forced) return
    for (const i of on) {
      this.real[i]!.reserve(usage)
      this.model[i]!.reserve(usage)
      // A reservation never takes what is not there.
      for (const field of ['tokens', 'nano'] as const) if (allowed) assert.ok((this.model[i]!.left(field) ?? 0n) >= 0n)
    }
    this.holders.push({ on, usage, running: false })
  }

  private turn(holder: Holder, running: boolean): void {
    holder.running = running
    for (const i of holder.on) {
      this.real[i]![running ? 'begin' : 'end'](this.now)
      this.model[i]![running ? 'begin' : 'end'](this.now)
    }
  }

  private settle(holder: Holder, used: Usage): void {
    if (holder.running) this.turn(holder, false)
    for (const i of holder.on) {
      this.real[i]!.settle(holder.usage, used)
      this.model[i]!.settle(holder.usage, used)
    }
    this.holders.splice(this.holders.indexOf(holder), 1)
  }

  private compare(): void {
    this.real.forEach((account, i) => {
      const { now } = this
      const model = this.model[i]!
      assert.deepEqual(account.remaining(now), model.remaining(now))
      assert.deepEqual(account.spent(now), model.spent(now))
      const wait = account.exhaustedIn(now)
      const { time_ms } = model.limits
      if (time_ms === undefined || model.running === 0) assert.equal(wait, undefined)
      else {
        assert.equal(wait, Math.max(0, (time_ms - model.time(now)) / model.running))
        // Half a millisecond more or less, for a third of one is no number.
        if (wait > 1) assert.ok(model.time(now + wait - 0.5) < time_ms)
        assert.ok(model.time(now + wait + 0.5) > time_ms)
      }
    })
    const both = this.real.map((account) => account.remaining(this.now))
    for (const field of ['tokens', 'time_ms', 'cost'] as const) {
      const values = both.flatMap((one: Remaining) => one[field] ?? [])
      assert.equal(tightest(both)[field], values.length === 0 ? undefined : Math.min(...values))
    }
  }
}

describe('an account', () => {
  it('agrees with lists that are added up anew', () => {
    let done = 0
    fc.assert(
      fc.property(fc.tuple(limits, limits, limits), fc.array(command, commands), (all, plan) => {
        const pair = new Pair(all)
        for (const step of plan) pair.run(step)
        done += plan.length
      }),
      runs,
    )
    assert.ok(done >= 50_000)
  })

  it('begins with what was spent before, and takes questions about a moment ago', () => {
    const account = new Account({ tokens: 100, time_ms: 1000, cost: 1 }, { tokens: 40, time_ms: 300, cost_nano: 5 })
    assert.deepEqual(account.remaining(0), { tokens: 60, time_ms: 700, cost: 0.999999995 })
    account.begin(100.75)
    assert.equal(account.lacks({ tokens: 0, cost_nano: 0 }, 100), undefined)
    assert.equal(account.remaining(100).time_ms, 700)
    account.end(200.75)
    assert.equal(account.spent(300).time_ms, 400)
  })
})

describe('the price of a task', () => {
  const price = fc.nat(10_000_000).map((units) => units / 10_000)
  it('is exact, and rounded up where it is no whole billionth', () => {
    fc.assert(
      fc.property(price, price, fc.nat(2_000_000), fc.nat(2_000_000), (input_per_million, output_per_million, tokens_in, tokens_out) => {
        const exact = BigInt(tokens_in) * nanoOf(input_per_million) + BigInt(tokens_out) * nanoOf(output_per_million)
        assert.equal(BigInt(costNano({ input_per_million, output_per_million }, tokens_in, tokens_out)), (exact + 999_999n) / 1_000_000n)
      }),
      { numRuns: repeats({ quick: 4000, long: 20_000 }) },
    )
  })

  it('of ten tasks is ten times that of one', () => {
    const prices = { input_per_million: 0.2, output_per_million: 0.7 }
    assert.equal(costNano(prices, 3, 0), 600)
    assert.equal(costNano(prices, 3, 1) * 10, costNano(prices, 30, 10))
    assert.equal(costNano(undefined, 3, 1), 0)
  })

  it('and what is left go out under the names of the contract', () => {
    const all = { tokens: 1, time_ms: 2, cost: 3 }
    assert.deepEqual(budgetFields(all), { tokens_budget_remaining: 1, time_budget_remaining_ms: 2, cost_budget_remaining: 3 })
    assert.deepEqual(budgetHeaders(all), { 'X-Budget-Tokens-Remaining': 1, 'X-Budget-Time-Remaining-Ms': 2, 'X-Budget-Cost-Remaining': 3 })
    assert.deepEqual([budgetFields({}), budgetHeaders({})], [{}, {}])
  })
})
