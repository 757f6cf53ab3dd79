import assert from 'node:assert/strict'
import fc from 'fast-check'
import { tokenFrame } from '../../../src/domain/stream/frames.ts'
import { emptyMark } from '../../../src/domain/stream/text-hash.ts'
import { TokenFrames } from '../../../src/domain/stream/token-frames.ts'
import { markOf, tokenText } from './task-log.kit.ts'

/** Enough for several blocks, and for one that is not complete. */
const tokens = fc.array(tokenText, { maxLength: 100, size: 'max' })

describe('token frames', () => {
  it('are what a plain list of frames would be, as they come and as they are stored', () => {
    fc.assert(
      fc.property(
        tokens,
        fc.array(fc.tuple(fc.nat(110), fc.constantFrom(1, 60, 500, 2000, 1 << 18)), { maxLength: 20 }),
        (pieces, looks) => {
          const marks = pieces.map((_, i) => markOf(pieces.slice(0, i + 1).join('')))
          const list = pieces.map((piece, i) => tokenFrame(marks[i] ?? emptyMark, piece, i))
          const made = new TokenFrames()
          for (const [i, piece] of pieces.entries()) {
            made.push(piece)
            assert.equal(made.from(i, 1).frames, list[i])
          }
          for (const frames of [made, TokenFrames.of(made.joined)]) {
            assert.equal(frames.count, list.length)
            assert.equal(frames.joined, list.join(''))
            assert.deepEqual(frames.list, list)
            assert.equal(frames.text, pieces.join(''))
            assert.deepEqual(frames.mark, marks.at(-1) ?? emptyMark)
            assert.deepEqual(frames.markAt(-1), emptyMark)
            for (const [index, max_chars] of looks) {
              assert.equal(frames.at(index), list[index] ?? '')
              assert.deepEqual(frames.markAt(index), marks[index] ?? emptyMark)
              const taken = frames.from(index, max_chars)
              const part = list.slice(index, taken.next)
              assert.equal(taken.frames, part.join(''))
              assert.equal(part.length > 0, index < list.length)
              assert.ok(part.slice(0, -1).join('').length < max_chars, 'one begins after max_chars')
              if (taken.next < list.length) assert.ok(taken.frames.length >= max_chars, 'less than there is')
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('of a stored text that is cut off end where it does', () => {
    const made = new TokenFrames()
    for (let i = 0; i < 40; i++) made.push('a')
    assert.equal(TokenFrames.of(made.joined.slice(0, -1)).joined, made.joined.slice(0, -1))
  })
})
