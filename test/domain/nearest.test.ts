import assert from 'node:assert/strict'
import fc from 'fast-check'
import { distance, hint, nearest } from '../../src/domain/nearest.ts'

const word = fc.string({ maxLength: 12 })

describe('the nearest known word', () => {
  it('distance: nothing for the same word, the same both ways, at most the longer word', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const changes = distance(a, b)
        assert.equal(changes === 0, a === b)
        assert.equal(changes, distance(b, a))
        assert.ok(changes >= Math.abs(a.length - b.length) && changes <= Math.max(a.length, b.length))
      }),
    )
  })

  it('distance: one letter more, less or another, or two exchanged, is one change', () => {
    fc.assert(
      fc.property(word, fc.nat(11), (text, at) => {
        const [before, after] = [text.slice(0, at), text.slice(at)]
        assert.equal(distance(text, `${before}é${after}`), 1)
        if (after === '') return
        assert.equal(distance(text, before + after.slice(1)), 1)
        assert.equal(distance(text, `${before}é${after.slice(1)}`), 1)
        const exchanged = `${before}${after.charAt(1)}${after.charAt(0)}${after.slice(2)}`
        if (exchanged !== text) assert.equal(distance(text, exchanged), 1)
      }),
    )
  })

  it('is a known word with at most a third of the letters changed, and none that is nearer is left out', () => {
    fc.assert(
      fc.property(word, fc.array(word), (given, known) => {
        const found = nearest(given, known)
        const changes = (candidate: string): number => distance(given.toLowerCase(), candidate.toLowerCase())
        const near = known.filter((candidate) => changes(candidate) * 3 <= Math.max(given.length, candidate.length))
        if (found === undefined) assert.deepEqual(near, [])
        else assert.ok(near.includes(found) && near.every((candidate) => changes(candidate) >= changes(found)))
      }),
    )
  })

  it('is not looked for among words when the given one is a text', () => {
    assert.equal(nearest('a'.repeat(65), ['a'.repeat(65)]), undefined)
  })

  it('is hinted at, or all of them are named', () => {
    assert.equal(hint('capacty', ['capacity', 'full_policy']), 'did you mean capacity?')
    assert.equal(hint('prots', ['ports', 'parts']), 'did you mean ports?')
    assert.equal(hint('speed', ['capacity', 'full_policy']), 'known are capacity, full_policy')
  })
})
