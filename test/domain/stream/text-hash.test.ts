import assert from 'node:assert/strict'
import fc from 'fast-check'
import { emptyMark, extendMark, formatMark, parseMark, splitAtByte } from '../../../src/domain/stream/text-hash.ts'

const text = fc.string({
  unit: fc.oneof(fc.constantFrom('a', 'é', '橋', '🦢', '\n', '\0'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
})

/** FNV-1a as its authors write it, in whole numbers that cannot overflow. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5n
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n
  return Number(hash)
}

describe('text hash', () => {
  it('is FNV-1a: the vectors of draft-eastlake-fnv', () => {
    const vectors: [string, number][] = [
      ['', 0x811c9dc5],
      ['a', 0xe40c292c],
      ['b', 0xe70c2de5],
      ['foobar', 0xbf9cf968],
      ['chongo was here!\n', 0xd49930d5],
    ]
    for (const [known, hash] of vectors) assert.equal(extendMark(emptyMark, known).hash, hash, known)
  })

  it('is that of the whole, however the text came', () => {
    fc.assert(
      fc.property(fc.array(text), (pieces) => {
        const bytes = Buffer.from(pieces.join(''), 'utf8')
        const whole = { bytes: bytes.length, hash: fnv1a(bytes) }
        assert.deepEqual(pieces.reduce(extendMark, emptyMark), whole)
        assert.deepEqual(extendMark(emptyMark, pieces.join('')), whole)
        assert.equal(whole.bytes, Buffer.byteLength(pieces.join('')))
      }),
      { numRuns: 2000 },
    )
  })

  it('goes to an id and back', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (bytes, hash) => {
        const id = formatMark({ bytes, hash })
        assert.match(id, /^\d+-[0-9a-f]{8}$/)
        assert.deepEqual(parseMark(id), { bytes, hash })
      }),
    )
  })

  it('does not come from anything but an id of ours', () => {
    for (const id of [
      '',
      '0',
      'end',
      '-',
      '1-',
      '1-0123456',
      '1-012345678',
      '01-01234567',
      '1-0123456G',
      '1-0123456A',
      ' 1-01234567',
      '1-01234567\n',
      '-1-01234567',
      '1e3-01234567',
      `${'9'.repeat(16)}-01234567`,
    ])
      assert.equal(parseMark(id), undefined, id)
    fc.assert(
      fc.property(fc.string(), (id) => {
        const mark = parseMark(id)
        if (mark !== undefined) assert.equal(formatMark(mark), id)
      }),
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
