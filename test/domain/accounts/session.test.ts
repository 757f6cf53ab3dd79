import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nothingSpent } from '../../../src/domain/accounts/budget.ts'
import { unavailableRetryMs } from '../../../src/domain/backoff.ts'
import { isExpired, openSession, sessionInfo, turnsLeft } from '../../../src/domain/accounts/session.ts'

const rules = fc.record({ ttl_ms: fc.integer({ min: 1, max: 1e6 }), max_turns: fc.integer({ min: 1, max: 20 }), budgets: fc.constant({}) })

describe('session', () => {
  it('lives for its time to live, to the millisecond', () => {
    fc.assert(
      fc.property(rules, fc.nat(1e6), fc.nat(2e6), (given, born, later) => {
        const session = openSession('ann', 's1', born, given)
        assert.equal(isExpired(session, born + later), later >= given.ttl_ms)
        const { ttl_ms_remaining } = sessionInfo(session, born + later, false, {})
        assert.equal(ttl_ms_remaining, Math.max(0, given.ttl_ms - later))
        assert.equal(isExpired(session, born + later), ttl_ms_remaining === 0)
      }),
    )
  })

  it('shows whole milliseconds, and none only when it is over', () => {
    const session = openSession('ann', 's1', 0, { ttl_ms: 1000, max_turns: 8, budgets: {} })
    assert.equal(sessionInfo(session, 999.5, true, {}).ttl_ms_remaining, 1)
    assert.deepEqual(sessionInfo(session, 1000, true, {}), { ttl_ms_remaining: 0, turns: 0, kv_warmth: true })
  })

  it('gives away no more turns than it has', () => {
    fc.assert(
      fc.property(rules, fc.array(fc.boolean(), { maxLength: 60 }), (given, takes) => {
        let session = openSession('ann', 's1', 0, given)
        let reserved = 0
        for (const take of takes) {
          assert.equal(turnsLeft(session, reserved, given), given.max_turns - session.turns - reserved)
          if (take && reserved > 0) {
            reserved--
            session = { ...session, turns: session.turns + 1 }
          } else if (turnsLeft(session, reserved, given) > 0) reserved++
          assert.ok(session.turns + reserved <= given.max_turns)
        }
        // Tasks of the last run may be more than today's rules allow.
        assert.equal(turnsLeft(session, given.max_turns + 1, given), 0)
      }),
    )
  })
})

describe('backoff', () => {
  it('tells clients whole milliseconds between 1 s and 600 s', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (expected) => {
        const told = unavailableRetryMs(expected)
        assert.ok(Number.isInteger(told) && told >= 1000 && told <= 600_000)
        if (expected >= 1000 && expected <= 600_000) assert.ok(told - expected >= 0 && told - expected < 1)
      }),
    )
  })

  it('begins with no turn taken and nothing spent', () => {
    assert.deepEqual(openSession('ann', 's1', 5, { ttl_ms: 10, max_turns: 8, budgets: {} }), {
      owner: 'ann',
      session_id: 's1',
      created_at: 5,
      expires_at: 15,
      turns: 0,
      budgets: {},
      spent: nothingSpent,
    })
  })
})
