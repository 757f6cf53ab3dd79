import assert from 'node:assert/strict'
import fc from 'fast-check'
import { WholeCodePoints } from '../../../src/domain/stream/whole-code-points.ts'

// Whole pairs, halves in any order, and plain letters.
const unit = fc.constantFrom('a', 'é', '橋', '🦢', '\ud83e', '\udda2', '\ud800', '\udfff')
const piece = fc.string({ unit, maxLength: 4 })

describe('whole code points', () => {
  it('come out of any split of any UTF-16, and join to its well-formed text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const joiner = new WholeCodePoints()
        const out = [...pieces.map((one) => joiner.push(one)), joiner.flush()]
        for (const one of out) assert.ok(one.isWellFormed())
        assert.equal(out.join(''), pieces.join('').toWellFormed())
      }),
      { numRuns: 3000 },
    )
  })

  it('are held back only while a pair is half there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const joiner = new WholeCodePoints()
        const units = text.split('')
        let whole = ''
        units.forEach((one, index) => {
          const out = joiner.push(one)
          whole += out
          const isHigh = /[\ud800-\udbff]/.test(one)
          assert.equal(out === '', isHigh, `unit ${index}`)
        })
        assert.equal(whole + joiner.flush(), text)
        assert.equal(joiner.flush(), '')
      }),
    )
  })
})
