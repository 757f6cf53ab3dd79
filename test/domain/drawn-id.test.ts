import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { drawnId } from '../../src/domain/drawn-id.ts'

const last = 2 ** 48 - 1

describe('a drawn id', () => {
  it('is the example of RFC 9562, appendix A.6', () => {
    assert.equal(drawnId(0x017f22e279b0, '919108f7-52d1-4cc3-98c4-dc0c0c07398f'), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })

  it('is a UUID of version 7 at any time, and as random as what it is made of', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 2 ** 60, noNaN: true }), fc.uuid({ version: 4 }), (at, random) => {
        const id = drawnId(at, random)
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        assert.equal(id.slice(15), random.slice(15))
      }),
    )
  })

  it('sorts by its time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: last - 1 }), fc.integer({ min: 1, max: last }), (at, later) => {
        const then = Math.min(last, at + later)
        assert.ok(drawnId(at, randomUUID()) < drawnId(then, randomUUID()))
      }),
    )
  })
})
