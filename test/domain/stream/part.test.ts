import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodePart, encodePart, type EncodedPart, type Part, withText } from '../../../src/domain/stream/part.ts'
import { mixedParts } from './parts.kit.ts'

describe('a part', () => {
  it('comes back from JSON as it was', () => {
    fc.assert(
      fc.property(mixedParts(20), (parts) => {
        for (const part of parts) {
          const line = JSON.stringify(encodePart(part))
          assert.deepEqual(decodePart(JSON.parse(line) as EncodedPart), part)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('of text costs no more than its JSON', () => {
    assert.equal(encodePart({ kind: 'text', text: 'a "swan"\n🦢' }), 'a "swan"\n🦢')
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
