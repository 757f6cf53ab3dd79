import assert from 'node:assert/strict'
import fc from 'fast-check'
import { budgetFields, nothingSpent, type Budgets, type Usage } from '../../../src/domain/accounts/budget.ts'
import { DomainError } from '../../../src/domain/errors.ts'
import type { Session, SessionRules } from '../../../src/domain/accounts/session.ts'
import { taskKeyOf } from '../../../src/domain/task.ts'
import type { Fact } from '../../../src/ports/journal.ts'
import type { Reservation } from '../../../src/services/sessions/reservation.ts'
import { Sessions } from '../../../src/services/sessions/sessions.ts'
import { FakeClock } from '../../harness/fake-clock.ts'
import { repeats } from '../../harness/long.ts'
import { applyToSessions } from '../../harness/session-facts.ts'
import { unlimited } from '../../harness/unlimited.ts'
import { SessionsModel, type SeatModel } from './sessions.model.ts'
import { noSessions } from '../../harness/sessions-stored.ts'

const rules: SessionRules = { ttl_ms: 2000, max_turns: 6, budgets: { tokens: 200, cost: 0.00005 } }
const keyBudgets = new Map<string, Budgets>([['bob', { tokens: 600, time_ms: 3000 }]])
/** A used-up budget is noticed in the next millisecond. */
const late_ms = 2

const owner = fc.constantFrom('ann', 'bob')
const id = fc.constantFrom('s1', 's2')
const usage: fc.Arbitrary<Usage> = fc.record({ tokens: fc.nat(40), cost_nano: fc.nat(9000) })
const budgets: fc.Arbitrary<Budgets> = fc.record(
  {
    tokens: fc.integer({ min: 1, max: 220 }),
    time_ms: fc.integer({ min: 1, max: 900 }),
    cost: fc.integer({ min: 1000, max: 55_000 }).map((nano) => nano / 1e9),
  },
  { requiredKeys: [] },
)
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(some, { nil: undefined })
const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      owner,
      id,
      usage,
      readmit: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('take' as const), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('suspend' as const), pick: fc.nat() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('leave' as const), pick: fc.nat(), usage }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      owner,
      id,
      ttl: maybe(fc.integer({ min: 1, max: 2100 })),
      budgets: maybe(budgets),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), owner, id }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(20), fc.nat(300)) }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** A task: its reservation, the model's, and whether it was told that time has run out. */
interface Sitter {
  readonly reservation: Reservation
  readonly model: SeatModel
  exhausted: boolean
}

class Bench {
  private readonly clock = new FakeClock()
  private readonly stored = new Map<string, Session>()
  private readonly sessions: Sessions
  private readonly model = new SessionsModel(rules, keyBudgets)
  private sitters: Sitter[] = []

  constructor() {
    this.sessions = new Sessions({
      ...unlimited,
      rules,
      keyBudgets,
      clock: this.clock,
      journal: { commit: (facts) => (this.write(facts), Promise.resolve()) },
    })
  }

  async play(plan: readonly Command[]): Promise<void> {
    const stop = await this.sessions.start(noSessions)
    for (const step of plan) {
      await this.run(step)
      this.compare()
    }
    for (const sitter of [...this.sitters]) this.leave(sitter, nothingSpent)
    this.compare()
    stop()
  }

  private async run(step: Command): Promise<void> {
    const now = this.clock.now()
    if (step.do === 'wait') await this.wait(step.ms)
    else if (step.do === 'reserve') this.reserve(step, now)
    else if (step.do === 'put') await this.put(step, now)
    else if (step.do === 'delete') {
      const life = this.model.alive(step.owner, step.id, now)
      const answer = await kindOf(this.sessions.delete({ name: step.owner, roles: ['data'] }, step.id))
      assert.equal(answer, life === undefined ? 'not_found' : undefined)
      if (life !== undefined) life.over = true
    } else {
      const sitter = this.sitters[step.pick % Math.max(1, this.sitters.length)]
      if (sitter === undefined) return
      const { model, reservation } = sitter
      // What never ran has used nothing.
      if (step.do === 'leave') this.leave(sitter, model.state === 'waiting' ? nothingSpent : step.usage)
      else if (step.do === 'take' && model.state !== 'running') {
        this.model.take(model, now)
        this.write(reservation.begin(() => (sitter.exhausted = true)))
        this.leaveExhausted()
      } else if (step.do === 'suspend' && model.state === 'running') {
        this.model.suspend(model, now)
        reservation.pause()
      }
    }
  }

  private reserve({ owner, id, usage, readmit }: Extract<Command, { do: 'reserve' }>, now: number): void {
    const expected = this.model.reserve(owner, id, usage, readmit, now)
    try {
      const reservation = this.sessions.reserve(owner, id, usage, readmit ? 'accepted' : undefined)
      assert.ok(typeof expected !== 'string', 'it should have been refused')
      this.write(reservation.facts)
      reservation.confirm()
      this.sitters.push({ reservation, model: expected, exhausted: false })
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      assert.equal(error.kind, 'budget_exhausted')
      assert.ok(typeof expected === 'string', error.message)
      assert.match(error.message, new RegExp(`\\b${expected}\\b`))
    }
  }

  private async put({ owner, id, ttl, budgets }: Extract<Command, { do: 'put' }>, now: number): Promise<void> {
    const allowed = (ttl ?? 0) <= rules.ttl_ms && (budgets?.tokens ?? 0) <= 200 && (budgets?.cost ?? 0) <= 0.00005
    const answer = await kindOf(this.sessions.put({ name: owner, roles: ['data'] }, id, ttl, budgets))
    assert.equal(answer, allowed ? undefined : 'invalid_params')
    if (allowed) this.model.put(owner, id, ttl, budgets, now)
    this.leaveExhausted()
  }

  /** Time passes a step at a time, so that tasks that are told to end do so at once. */
  private async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      await this.clock.advance(Math.min(10, left))
      this.leaveExhausted()
      const now = this.clock.now()
      for (const { model } of this.sitters)
        if (model.state === 'running') assert.ok(!this.model.isExhausted(model, now, late_ms), 'a used-up budget went unnoticed')
    }
  }

  private leaveExhausted(): void {
    for (const sitter of [...this.sitters]) {
      if (!sitter.exhausted) continue
      assert.ok(this.model.isExhausted(sitter.model, this.clock.now()), 'told too early')
      this.leave(sitter, sitter.model.need)
    }
  }

  private leave(sitter: Sitter, used: Usage): void {
    this.model.leave(sitter.model, used, this.clock.now())
    this.write(sitter.reservation.settle(used))
    // A second time changes nothing.
    assert.deepEqual([sitter.reservation.settle(used), sitter.reservation.begin(() => undefined)], [[], []])
    this.sitters = this.sitters.filter((other) => other !== sitter)
  }

  private compare(): void {
    const now = this.clock.now()
    for (const owner of ['ann', 'bob'])
      for (const id of ['s1', 's2']) {
        const life = this.model.alive(owner, id, now)
        if (life === undefined) {
          assert.throws(() => this.sessions.info({ name: owner, roles: ['data'] }, id), DomainError)
          continue
        }
        const left = this.model.remaining(owner, life, now)
        const { ttl_ms_remaining, turns, kv_warmth, ...rest } = this.sessions.info({ name: owner, roles: ['data'] }, id)
        assert.deepEqual(
          { ttl_ms_remaining, turns, kv_warmth },
          { ttl_ms_remaining: life.expires_at - now, turns: life.turns, kv_warmth: false },
        )
        assert.deepEqual(rest, budgetFields(left))
        assert.deepEqual(this.sessions.remaining(owner, id), left)
        // After a crash it would be found as it is.
        const stored = this.stored.get(taskKeyOf(owner, id))
        const { tokens, cost_nano } = life.account.spent(now)
        assert.deepEqual(stored && [stored.turns, stored.expires_at, stored.budgets, stored.spent.tokens, stored.spent.cost_nano], [
          life.turns,
          life.expires_at,
          life.account.limits,
          tokens,
          cost_nano,
        ])
      }
    for (const { reservation, model } of this.sitters) assert.deepEqual(reservation.remaining, tightestOf(model, now))
  }

  private write(facts: readonly Fact[]): void {
    for (const fact of facts) applyToSessions(this.stored, fact)
  }
}

function tightestOf({ accounts }: SeatModel, now: number): object {
  const all = accounts.map((account) => account.remaining(now))
  const least = (field: 'tokens' | 'time_ms' | 'cost'): object => {
    const values = all.flatMap((one) => one[field] ?? [])
    return values.length === 0 ? {} : { [field]: Math.min(...values) }
  }
  return { ...least('tokens'), ...least('time_ms'), ...least('cost') }
}

async function kindOf(promise: Promise<unknown>): Promise<string | undefined> {
  const [result] = await Promise.allSettled([promise])
  if (result.status === 'fulfilled') return undefined
  if (result.reason instanceof DomainError) return result.reason.kind
  throw result.reason
}

describe('sessions, their reservations and budgets', () => {
  it('agree with a plain model, whatever happens in what order', async () => {
    let done = 0
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 100, maxLength: 150 }), async (plan) => {
        await new Bench().play(plan)
        done += plan.length
      }),
      { numRuns: repeats({ quick: 60, long: 500 }) },
    )
    assert.ok(done >= repeats({ quick: 6000, long: 50_000 }))
  })
})
