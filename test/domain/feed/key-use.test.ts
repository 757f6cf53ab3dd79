import assert from 'node:assert/strict'
import fc from 'fast-check'
import { KeyUse, window_ms } from '../../../src/domain/feed/key-use.ts'
import { Newest } from '../../../src/domain/feed/newest.ts'
import { Series } from '../../../src/domain/feed/series.ts'

const step_ms = 30_000

describe('what a key has used', () => {
  it('is what it was told of in the last 10 min, to half a minute, however long its tasks ran', () => {
    const event = fc.record({ later_ms: fc.nat(200_000), tokens: fc.nat(9), ran_ms: fc.oneof(fc.nat(40_000), fc.nat(2_000_000)) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
        const use = new KeyUse()
        const told: { readonly at: number; readonly tokens: number; readonly from: number }[] = []
        let now = 10_000_000
        for (const { later_ms, tokens, ran_ms } of events) {
          now += later_ms
          use.add(now, { tokens })
          use.ran(now - ran_ms, now)
          told.push({ at: now, tokens, from: now - ran_ms })
          const since = (Math.floor(now / step_ms) + 1) * step_ms - window_ms
          const sum = (of: (one: (typeof told)[number]) => number): number => told.reduce((all, one) => all + of(one), 0)
          const used = use.sum(now)
          assert.equal(
            used.tokens,
            sum((one) => (one.at >= since ? one.tokens : 0)),
          )
          assert.equal(
            used.engine_ms,
            sum(({ at, from }) => Math.max(0, at - Math.max(from, since))),
          )
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('the newest things', () => {
  it('are as many as are remembered, and it is known whether those after a tick are among them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(2), { maxLength: 40 }), (most, gaps) => {
        const newest = new Newest<number>(most)
        const all: number[] = []
        let tick = 0
        for (const gap of gaps) {
          tick += gap
          newest.add(tick, tick)
          all.push(tick)
          const remembered = all.slice(-most)
          for (let since = -1; since <= tick + 1; since++) {
            assert.deepEqual(
              newest.since(since),
              remembered.filter((one) => one > since),
            )
            assert.equal(
              newest.reaches(since),
              all.slice(0, -most).every((one) => one <= since),
            )
          }
        }
      }),
    )
  })
})

describe('tokens of a pool', () => {
  it('are told once each, by tasks that run and by those that have ended', () => {
    const series = new Series()
    const level = { waiting: 0, running: 1 }
    const told: number[] = []
    // One has 5 and then 12, and ends with 20; the next one has 3, and is lost; another one has 4.
    for (const [tokens, ended] of [
      [5, 0],
      [12, 0],
      [3, 20],
      [0, 0],
      [4, 0],
    ] as const) {
      series.ended(ended, false)
      told.push(series.take({ ...level, tokens }).tokens_out)
    }
    assert.deepEqual(told, [5, 7, 11, 0, 4])
  })
})
