import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ends } from '../../../src/domain/prediction/ends.ts'
import { againOneByOne, anyBusy, between, countedOneByOne } from './ends.kit.ts'

const moment = between(-2, 7).map((exponent) => 10 ** exponent)

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
          // Both are differences of the sum of the means.
          assert.ok(
            Math.abs(told.since_ms - since_ms) <= 1e-10 * (busy.length * t + ends.sum),
            `${told.since_ms} ms by ${t}, but ${since_ms}`,
          )
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
        // Whether one that ends at t itself counts is up to the last digit of t less its mean.
        const [fewest, most] = [againOneByOne(busy, t * (1 - 1e-9), service_ms), againOneByOne(busy, t * (1 + 1e-9), service_ms)]
        assert.ok(fewest.count <= told.count && told.count <= most.count, `${told.count}, but ${fewest.count} to ${most.count}`)
        const slack = 1e-9 * t
        assert.ok(fewest.last - slack <= told.last && told.last <= most.last + slack, `${told.last}, but ${fewest.last} to ${most.last}`)
      }),
      { numRuns: 1000 },
    )
  })
})
