import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CustomInput } from '../../../../src/doors/openai/responses/custom-input.ts'
import { cutInto } from './parts.kit.ts'

const read = (pieces: readonly string[]): string[] => {
  const input = new CustomInput()
  return [...pieces.map((piece) => input.push(piece)), input.finish()]
}

/** JSON text with every unit escaped, or as it is usually written. */
const written = fc.tuple(fc.string({ unit: 'grapheme' }), fc.boolean()).map(([text, escaped]) => {
  const units = Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
  return { text, json: `{"input":${escaped ? `"${units}"` : JSON.stringify(text)}}` }
})

describe('the text of a custom tool', () => {
  it('is what its arguments say, however they are cut, and each piece is whole characters', () => {
    fc.assert(
      fc.property(written, fc.infiniteStream(fc.nat({ max: 7 })), ({ text, json }, lengths) => {
        const given = read(cutInto(json, lengths))
        assert.equal(given.join(''), text)
        for (const piece of given) assert.ok(piece.isWellFormed())
      }),
    )
  })

  it('does not depend on the pieces, whatever the arguments are', () => {
    const any = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('\\', '"', 'u', 'd83d', '\\ude00', 'n', 'a') }).map((text) => `{ "input": "${text}`),
    )
    fc.assert(
      fc.property(any, fc.infiniteStream(fc.nat({ max: 7 })), (json, lengths) => {
        assert.equal(read(cutInto(json, lengths)).join(''), read([json]).join(''))
      }),
    )
  })

  it('is given out as it comes', () => {
    assert.deepEqual(read(['{"in', 'put": "*** Beg', 'in\\', 'n+a"', '}']), ['', '*** Beg', 'in', '\n+a', '', ''])
  })

  it('is the arguments themselves where they have another form', () => {
    assert.deepEqual(read(['plain ', 'text']), ['', '', 'plain text'])
    assert.deepEqual(read(['{"a":1,"input":"x"}']), ['', 'x'])
  })
})
