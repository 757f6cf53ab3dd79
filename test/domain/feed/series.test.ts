import assert from 'node:assert/strict'
import fc from 'fast-check'
import { KeyUse } from '../../../src/domain/feed/key-use.ts'
import { ownPlaces } from '../../../src/domain/feed/own-places.ts'
import { most_samples, Series } from '../../../src/domain/feed/series.ts'
import { wishOf } from '../../../src/domain/feed/wish.ts'

describe('the last hour of a pool', () => {
  it('keeps the newest 720 values, and counts each token once, be its task running or ended', () => {
    const series = new Series()
    for (let n = 0; n < most_samples + 5; n++) series.take({ waiting: n, running: 1, tokens: 0 })
    assert.equal(series.newest('waiting', 1000).length, most_samples)
    assert.deepEqual(series.newest('waiting', 2), [most_samples + 3, most_samples + 4])
    series.firstToken(300)
    series.firstToken(100)
    series.firstToken(200)
    series.refused()
    const point = series.take({ waiting: 0, running: 2, tokens: 50 })
    assert.deepEqual(point, { waiting: 0, running: 2, tokens_out: 50, first_token_ms: { median: 200, p95: 300 }, refused: 1, late: 0 })
    // The task that had 40 of them has ended with 45.
    series.ended(45, true)
    assert.deepEqual(series.take({ waiting: 0, running: 1, tokens: 15 }), { waiting: 0, running: 1, tokens_out: 10, refused: 0, late: 1 })
    assert.deepEqual(series.newest('first_token_median_ms', 2), [200, null])
  })
})

describe('what a key has used in the last 10 min', () => {
  const runs = fc.array(fc.record({ at: fc.nat(3_000_000), ran: fc.nat(900_000) }), { maxLength: 40 })

  it('is what of its runs lies there, to half a minute', () => {
    fc.assert(
      fc.property(runs, (all) => {
        const use = new KeyUse()
        const ends = all.map(({ at, ran }) => ({ from: at - ran, to: at })).sort((a, b) => a.to - b.to)
        for (const { from, to } of ends) use.ran(from, to)
        const now = ends.at(-1)?.to ?? 0
        const within = (window: number): number =>
          ends.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, now - window)), 0)
        const { engine_ms } = use.sum(now)
        assert.ok(engine_ms <= within(600_000) + 1e-6, `${engine_ms} of ${within(600_000)}`)
        assert.ok(engine_ms >= within(570_000) - 1e-6, `${engine_ms} of ${within(570_000)}`)
      }),
    )
  })
})

describe('the places of a key among others', () => {
  it('add up to all that wait, with its own in their places', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(50)), fc.nat(20), (places, behind) => {
        const own = places.sort((a, b) => a - b).map((place) => ({ task: place, place }))
        const total = (own.at(-1)?.place ?? -1) + 1 + behind
        const seen = ownPlaces(own, total, (task) => task + 1)
        const walked: number[] = []
        let place = 0
        for (const one of seen.first)
          if (one < 0) place -= one
          else {
            assert.equal(one, place + 1)
            walked.push(place++)
          }
        assert.deepEqual(walked, places)
        assert.equal(place + seen.behind, total)
      }),
    )
  })
})

describe('a wish', () => {
  it('is for the first 8 pools and 30 rows of each, and never for more than 800 rows', () => {
    const pools = Array.from({ length: 12 }, (_, n) => `p${n}`)
    assert.deepEqual(wishOf({}, pools), { pools: pools.slice(0, 8), rows: 30, tasks: [] })
    const many = wishOf({ pools: [...pools, 'p0'].join(','), rows: 100, tasks: 'a,b,a' }, pools)
    assert.deepEqual(many, { pools, rows: 66, tasks: ['a', 'b'] })
  })
})
