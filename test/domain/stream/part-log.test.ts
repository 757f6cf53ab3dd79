import assert from 'node:assert/strict'
import fc from 'fast-check'
import { advance, emptyMark, startPosition, type Position } from '../../../src/domain/stream/mark.ts'
import { PartLog, perBlock, type MarkedPart } from '../../../src/domain/stream/part-log.ts'
import { encodePart, type Part } from '../../../src/domain/stream/part.ts'
import { markOfParts, mixedParts } from './parts.kit.ts'
import { markOf, part, tokenText } from './task-log.kit.ts'

/** Enough for several blocks, and for one that is not complete. */
const plain = fc.array(tokenText, { maxLength: 100, size: 'max' }).map((pieces) => pieces.map(part))
const someParts = fc.oneof(plain, mixedParts(100))

/** Each part with its mark, worked out one by one. */
function plainList(parts: readonly Part[]): { readonly list: MarkedPart[]; readonly positions: Position[] } {
  let position = startPosition
  const positions = parts.map((part) => (position = advance(position, part)))
  return { list: parts.map((part, index) => ({ part, index, mark: positions[index] ?? startPosition })), positions }
}

/** The log as it came about, and as it was stored; `looked` at one place before its end. */
function bothOf(parts: readonly Part[], looked: number): PartLog[] {
  const live = new PartLog()
  parts.forEach((part, index) => {
    live.push(part)
    if (index === looked) assert.equal([...live.from(index)].length, 1)
  })
  return [live, PartLog.of(live.joined)]
}

/** Lines of `perBlock` encoded parts. */
function blocksOf(parts: readonly Part[]): string {
  let lines = ''
  for (let at = 0; at < parts.length; at += perBlock) lines += `${JSON.stringify(parts.slice(at, at + perBlock).map(encodePart))}\n`
  return lines
}

describe('part log', () => {
  it('is what a plain list of parts would be, as they come and as they are stored', () => {
    fc.assert(
      fc.property(someParts, fc.array(fc.nat(110), { maxLength: 20 }), fc.nat(110), (parts, looks, looked) => {
        const { list, positions } = plainList(parts)
        for (const log of bothOf(parts, looked)) {
          for (const index of looks) assert.deepEqual([...log.from(index)], list.slice(index))
          assert.equal(log.count, parts.length)
          assert.equal(log.joined, blocksOf(parts))
          assert.deepEqual([...log.from(0)], list)
          assert.equal(log.text, parts.map((part) => (part.kind === 'text' ? part.text : '')).join(''))
          assert.deepEqual(log.position, positions.at(-1) ?? startPosition)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives each part its mark as it comes', () => {
    fc.assert(
      fc.property(someParts, (parts) => {
        const log = new PartLog()
        assert.deepEqual(log.position, { ...emptyMark, channel: 'text' })
        parts.forEach((part, index) => {
          const { bytes, hash } = log.push(part)
          if (index % 7 === 0) assert.deepEqual({ bytes, hash }, markOfParts(parts.slice(0, index + 1)))
          assert.equal(log.count, index + 1)
        })
      }),
      { numRuns: 200 },
    )
    const log = new PartLog()
    for (const text of ['a', '🦢', 'b']) log.push(part(text))
    assert.deepEqual(
      [...log.from(0)].map(({ mark: { bytes, hash } }) => ({ bytes, hash })),
      ['a', 'a🦢', 'a🦢b'].map(markOf),
    )
  })

  it('finds the last block that begins before a number of bytes', () => {
    fc.assert(
      fc.property(someParts, fc.array(fc.nat(600), { minLength: 1, maxLength: 10 }), (parts, wanted) => {
        const { positions } = plainList(parts)
        for (const log of bothOf(parts, -1))
          for (const bytes of wanted) {
            if (bytes === 0 || bytes > log.position.bytes) continue
            const { index, begin } = log.blockBefore(bytes)
            assert.equal(index % 16, 0)
            assert.deepEqual(begin, positions[index - 1] ?? startPosition)
            assert.ok(begin.bytes < bytes)
            const next = positions[index + 15]
            assert.ok(next === undefined || next.bytes >= bytes, 'a later block begins before it')
          }
      }),
      { numRuns: 500 },
    )
  })

  it('of a stored text without its last newline has every part', () => {
    const made = new PartLog()
    for (let i = 0; i < 40; i++) made.push(part('a'))
    const cut = made.joined.slice(0, -1)
    assert.deepEqual([...PartLog.of(cut).from(0)], [...made.from(0)])
    assert.equal(PartLog.of(cut).count, 40)
    assert.equal(PartLog.of(cut).text, 'a'.repeat(40))
  })
})
