import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ends } from '../../../src/domain/prediction/ends.ts'
import { anyBusy, countedOneByOne } from './ends.kit.ts'

const moment = fc.double({ min: -2, max: 7, noNaN: true }).map((exponent) => 10 ** exponent)

describe('when what runs ends', () => {
  it('is what counting one by one gives, however many run and however long', () => {
    fc.assert(
      fc.property(anyBusy, fc.array(moment, { minLength: 1, maxLength: 20 }), (busy, moments) => {
        const ends = new Ends(busy)
        for (const t of moments) {
          const told = ends.at(t)
          const { count, slope, since_ms } = countedOneByOne(busy, t)
          assert.ok(Math.abs(told.count - count) <= 1e-10 * busy.length, `${told.count} have ended by ${t}, but ${count}`)
          assert.ok(Math.abs(told.slope - slope) <= 1e-8 * slope + (1e-8 * busy.length) / t, `${told.slope} at ${t}, but ${slope}`)
          assert.ok(Math.abs(told.since_ms - since_ms) <= 1e-10 * busy.length * t, `${told.since_ms} ms by ${t}, but ${since_ms}`)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('grows with time', () => {
    fc.assert(
      fc.property(anyBusy, moment, moment, (busy, t, more) => {
        const ends = new Ends(busy)
        const [now, later] = [ends.at(t), ends.at(t + more)]
        assert.ok(later.count >= now.count - 1e-9 * busy.length)
        assert.ok(later.since_ms >= now.since_ms - 1e-9 * busy.length * (t + more))
      }),
    )
  })

  it('is again after every service of the same length', () => {
    fc.assert(
      fc.property(anyBusy, moment, moment, (busy, t, service_ms) => {
        fc.pre(t / service_ms < 1e6)
        const told = new Ends(busy).again(t, service_ms)
        const times = busy.map(({ mean }) => Math.max(0, Math.ceil((t - mean) / service_ms)))
        assert.equal(
          told.count,
          times.reduce((sum, one) => sum + one, 0),
        )
        const last = busy.reduce(
          (latest, { mean }, i) => Math.max(latest, times[i] === 0 ? 0 : mean + ((times[i] ?? 0) - 1) * service_ms),
          0,
        )
        assert.ok(Math.abs(told.last - last) <= 1e-9 * t, `${told.last}, but ${last}`)
      }),
      { numRuns: 1000 },
    )
  })
})
