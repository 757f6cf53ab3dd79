import assert from 'node:assert/strict'
import fc from 'fast-check'
import { jsonInside, textPieces } from '../../src/domain/text-pieces.ts'

describe('a text in pieces', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', '\n', 'é', '🦢', '\ud83e', '\udda2'), maxLength: 40 })

  it('is the text, of pieces of a bounded size that cut no pair in half', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (given, units) => {
        const pieces = [...textPieces(given, units)]
        assert.equal(pieces.join(''), given)
        assert.ok(pieces.every(({ length }) => length > 0 && length <= units + 1))
        assert.equal(
          pieces.every((piece) => piece.isWellFormed()),
          given.isWellFormed(),
        )
      }),
    )
  })

  it('is the same JSON as the text in one', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (given, units) => {
        const whole = given.toWellFormed()
        assert.equal(`"${[...textPieces(whole, units)].map(jsonInside).join('')}"`, JSON.stringify(whole))
      }),
    )
  })
})
