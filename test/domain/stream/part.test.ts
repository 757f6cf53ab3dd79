import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodePart, encodePart, type Part, withText } from '../../../src/domain/stream/part.ts'
import { mixedParts } from './parts.kit.ts'

describe('a part', () => {
  it('is one line of JSON, and comes back from it', () => {
    fc.assert(
      fc.property(mixedParts(20), (parts) => {
        for (const part of parts) {
          const line = encodePart(part)
          assert.equal(line.includes('\n'), false)
          assert.deepEqual(decodePart(line), part)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('of text costs no more than its JSON', () => {
    assert.equal(encodePart({ kind: 'text', text: 'a "swan"\n🦢' }), '"a \\"swan\\"\\n🦢"')
    for (const line of ['', '{', 'undefined']) assert.throws(() => decodePart(line), SyntaxError)
  })

  it('cut off at its beginning says neither the name of a tool nor what its tokens were', () => {
    const whole: Part[] = [
      { kind: 'text', text: 'ab', logprobs: [] },
      { kind: 'reasoning', text: 'ab' },
      { kind: 'tool_call', index: 3, id: 'x', name: 'get', text: 'ab' },
    ]
    assert.deepEqual(
      whole.map((part) => withText(part, 'b')),
      [
        { kind: 'text', text: 'b' },
        { kind: 'reasoning', text: 'b' },
        { kind: 'tool_call', index: 3, text: 'b' },
      ],
    )
  })
})
