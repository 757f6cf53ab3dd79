import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Breaker, longestPauseMs } from '../../../src/domain/placement/breaker.ts'

const step = fc.record({
  what: fc.constantFrom('failed', 'failed', 'failed', 'succeeded', 'tripped', 'tried'),
  task: fc.constantFrom('a', 'b', 'c', 'd'),
  later_ms: fc.oneof(fc.nat(1000), fc.nat(100_000)),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
})

describe('the circuit breaker of a replica', () => {
  it('pauses from 250 ms to 60 s, doubling', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(longestPauseMs),
      [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
    )
    for (const openings of [31, 100, 1e6, Number.MAX_SAFE_INTEGER]) assert.equal(longestPauseMs(openings), 60_000)
  })

  it('opens by the third task in a row that fails, or by one that is its trial, and pauses longer each time until it was well for a minute', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0
        let jitter = 1
        const breaker = new Breaker(now, () => jitter)
        let failing: string[] = []
        let openings = 0
        let closed_at = 0
        for (const one of steps) {
          now += one.later_ms
          jitter = one.jitter
          const was = breaker.state
          let pause: number | undefined
          if (one.what === 'tried') {
            if (was !== 'open') continue
            breaker.tried()
            assert.equal(breaker.state, 'half-open')
          } else if (one.what === 'succeeded') {
            if (was === 'open') continue
            breaker.succeeded(now)
            assert.equal(breaker.state, 'closed')
            failing = []
            if (was === 'half-open') closed_at = now
          } else if (one.what === 'tripped') pause = breaker.tripped(now)
          else {
            pause = breaker.failed(one.task, now)
            if (was === 'closed') failing.push(one.task)
            const last = was === 'half-open' || (was === 'closed' && new Set(failing).size === 3)
            assert.equal(pause !== undefined, last)
          }
          if (pause === undefined) continue
          assert.equal(breaker.state, 'open')
          openings = was === 'closed' && now - closed_at >= 60_000 ? 1 : openings + 1
          assert.equal(pause, longestPauseMs(openings) * (0.5 + 0.5 * jitter))
          failing = []
        }
      }),
    )
  })
})
