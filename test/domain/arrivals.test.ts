import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Arrivals } from '../../src/domain/arrivals.ts'

describe('arrivals', () => {
  it('are listed newest first from any number on, whoever has gone', () => {
    const step = fc.oneof(fc.constant('come' as const), fc.record({ go: fc.nat(60) }), fc.record({ before: fc.nat(60) }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const arrivals = new Arrivals<string>()
        let model: number[] = []
        let last = 0
        for (const one of steps) {
          if (one === 'come') {
            // Numbers have gaps.
            last += 1 + (last % 3)
            arrivals.add(last, `n${last}`)
            model.push(last)
          } else if ('go' in one) {
            arrivals.remove(one.go)
            model = model.filter((number) => number !== one.go)
          } else
            assert.deepEqual(
              [...arrivals.before(one.before)],
              model
                .filter((number) => number < one.before)
                .toReversed()
                .map((number) => `n${number}`),
            )
          assert.equal(arrivals.size, model.length)
        }
        assert.deepEqual(
          [...arrivals.before()],
          model.toReversed().map((number) => `n${number}`),
        )
      }),
    )
  })
})
