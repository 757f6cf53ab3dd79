import assert from 'node:assert/strict'
import fc from 'fast-check'
import { advance, emptyMark, extendMark, sameMark, splitAtByte, startPosition, type Mark } from '../../../src/domain/stream/mark.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { fnv1a, markOfParts, mixedParts, recut, sizes } from './parts.kit.ts'
import { part } from './task-log.kit.ts'

const text = fc.string({
  unit: fc.oneof(fc.constantFrom('a', 'é', '橋', '🦢', '\n', '\0'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
})

const reasoning = (text: string): Part => ({ kind: 'reasoning', text })
const call = (index: number, name: string, text: string): Part => ({ kind: 'tool_call', index, id: `call_${index}`, name, text })

/** The mark after some parts. */
function after(...parts: readonly Part[]): Mark {
  const { bytes, hash } = parts.reduce(advance, startPosition)
  return { bytes, hash }
}

describe('mark of text', () => {
  it('is FNV-1a: the vectors of draft-eastlake-fnv', () => {
    const vectors: [string, number][] = [
      ['', 0x811c9dc5],
      ['a', 0xe40c292c],
      ['b', 0xe70c2de5],
      ['foobar', 0xbf9cf968],
      ['chongo was here!\n', 0xd49930d5],
    ]
    for (const [known, hash] of vectors) {
      assert.equal(extendMark(emptyMark, known).hash, hash, known)
      assert.deepEqual(after(part(known)), { bytes: known.length, hash })
    }
  })

  it('is that of the whole, however the text came', () => {
    fc.assert(
      fc.property(fc.array(text), (pieces) => {
        const bytes = Buffer.from(pieces.join(''), 'utf8')
        const whole = { bytes: bytes.length, hash: fnv1a(bytes) }
        assert.deepEqual(pieces.reduce(extendMark, emptyMark), whole)
        assert.deepEqual(extendMark(emptyMark, pieces.join('')), whole)
        assert.deepEqual(after(...pieces.map(part)), whole)
        assert.equal(whole.bytes, Buffer.byteLength(pieces.join('')))
      }),
      { numRuns: 2000 },
    )
  })

  it('splits text where a code point ends, and nowhere else', () => {
    fc.assert(
      fc.property(text, fc.nat(80), (whole, bytes) => {
        const points = Array.from(whole)
        const ends = [0, ...points.map((_, index) => Buffer.byteLength(points.slice(0, index + 1).join('')))]
        const at = ends.indexOf(bytes)
        assert.deepEqual(
          splitAtByte(whole, bytes),
          at < 0 ? undefined : { before: points.slice(0, at).join(''), after: points.slice(at).join('') },
        )
      }),
      { numRuns: 2000 },
    )
  })
})

describe('mark of parts', () => {
  it('is that of all of them at once', () => {
    fc.assert(
      fc.property(mixedParts(30), (parts) => assert.deepEqual(after(...parts), markOfParts(parts))),
      { numRuns: 1000 },
    )
  })

  it('is the same however the parts are cut, and whatever the ids of the calls are', () => {
    fc.assert(
      fc.property(mixedParts(30), sizes, (parts, some) => assert.deepEqual(after(...recut(parts, some)), after(...parts))),
      { numRuns: 1000 },
    )
  })

  it('stays what it is: vectors', () => {
    const vectors: [Part[], Mark][] = [
      [[reasoning('a')], { bytes: 1, hash: fnv1a(Buffer.from('\0reasoninga')) }],
      [[part('a'), reasoning('b'), part('c')], { bytes: 3, hash: fnv1a(Buffer.from('a\0reasoningb\0textc')) }],
      [[call(0, 'get', '')], { bytes: 0, hash: fnv1a(Buffer.from('\0tool_call 0 get')) }],
      [[part('é'), call(0, 'get', '{'), call(0, 'get', '}')], { bytes: 4, hash: fnv1a(Buffer.from('é\0tool_call 0 get{}')) }],
    ]
    for (const [parts, mark] of vectors) assert.deepEqual(after(...parts), mark)
    assert.equal(after(reasoning('a')).hash, 0xbb1c24e4)
  })

  it('is another where the same text comes in another kind of part', () => {
    const kinds: ((text: string) => Part)[] = [
      part,
      reasoning,
      (text) => call(0, 'get', text),
      (text) => call(0, 'put', text),
      (text) => call(1, 'get', text),
      (text) => ({ kind: 'tool_call', index: 0, text }),
    ]
    fc.assert(
      fc.property(text, text, (before, same) => {
        fc.pre(same !== '')
        const marks = kinds.map((as) => after(part(before), as(same)))
        assert.equal(new Set(marks.map(({ hash }) => hash)).size, kinds.length)
        assert.equal(new Set(marks.map(({ bytes }) => bytes)).size, 1)
        assert.ok(sameMark(marks[0] ?? emptyMark, extendMark(emptyMark, before + same)))
      }),
    )
  })
})
