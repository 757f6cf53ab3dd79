import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Replay } from '../../../src/domain/stream/replay.ts'
import type { Part } from '../../../src/domain/stream/part.ts'
import { callsOf, markOfParts, mixedParts, passagesOf, recut, sizes, textOfParts } from './parts.kit.ts'
import { part } from './task-log.kit.ts'

/** A text cut into pieces that are not empty. */
const pieces = (text: string, cuts: readonly number[]): string[] => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length)).filter((piece) => piece !== '')
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const cuts = fc.array(fc.nat(40), { maxLength: 8 })

/** Of a text that is out, in pieces that nobody has to know. */
const replayOf = (known: string, where: readonly number[]): Replay => new Replay(pieces(known, where).map(part))

/** What a replay of the known parts lets through of the others; 'diverged' where it takes one of them not. */
function through(
  known: readonly Part[],
  again: readonly Part[],
): { readonly fresh: Part[]; readonly diverged: boolean; readonly missing: boolean } {
  const replay = new Replay(known)
  const fresh: Part[] = []
  for (const one of again) {
    const taken = replay.take(one)
    if (taken === 'diverged') return { fresh, diverged: true, missing: replay.missing }
    if (taken !== undefined) fresh.push(taken)
  }
  return { fresh, diverged: false, missing: replay.missing }
}

const get = (text: string, id = 'a', name = 'get'): Part => ({ kind: 'tool_call', index: 0, id, name, text })
const more = (text: string, index = 0): Part => ({ kind: 'tool_call', index, text })
const think = (text: string): Part => ({ kind: 'reasoning', text })

describe('a replay of text', () => {
  it('lets exactly the text through that is not out yet, however it is cut', () => {
    fc.assert(
      fc.property(text, text, cuts, cuts, (known, rest, before, where) => {
        const { fresh, diverged, missing } = through(pieces(known, before).map(part), pieces(known + rest, where).map(part))
        assert.equal(diverged, false, 'it differs')
        assert.equal(textOfParts(fresh), rest)
        assert.equal(missing, false)
      }),
    )
  })

  it('takes no piece that differs, and lets nothing through before it', () => {
    fc.assert(
      fc.property(text, fc.nat(), text, cuts, (known, pick, rest, where) => {
        fc.pre(known !== '')
        const at = pick % known.length
        const other = known.slice(0, at) + String.fromCharCode(known.charCodeAt(at) ^ 1) + known.slice(at + 1) + rest
        const replay = replayOf(known, where)
        for (const piece of pieces(other, where)) {
          const fresh = replay.take(part(piece))
          if (fresh === 'diverged') return
          assert.equal(fresh, undefined)
        }
        assert.fail('it was taken')
      }),
    )
  })

  it('misses what did not come again', () => {
    fc.assert(
      fc.property(text, cuts, fc.nat(), (known, where, pick) => {
        fc.pre(known !== '')
        const replay = replayOf(known, where)
        for (const piece of pieces(known.slice(0, pick % known.length), where)) assert.equal(replay.take(part(piece)), undefined)
        assert.equal(replay.missing, true)
      }),
    )
  })
})

describe('a replay of parts', () => {
  it('lets exactly the new ones through, however they are cut and whatever the ids of the calls are', () => {
    fc.assert(
      fc.property(mixedParts(30), fc.nat(30), sizes, (parts, out, some) => {
        const known = parts.slice(0, out)
        const again = recut(parts, some)
        const { fresh, diverged, missing } = through(known, again)
        assert.equal(diverged, false)
        assert.equal(missing, false)
        // Both together are what was known and then the rest: the same passages, each with the same text.
        assert.deepEqual(markOfParts([...known, ...fresh]), markOfParts(parts))
        // A call that is out already does not begin anew, and one that is not has its beginning.
        assert.deepEqual(callsOf([...known, ...fresh]), callsOf(parts))
        const inner = fresh.filter(({ text }) => text === '')
        assert.deepEqual(
          inner,
          inner.filter((one) => again.includes(one)),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('misses what did not come again', () => {
    fc.assert(
      fc.property(mixedParts(30), fc.nat(), sizes, (known, pick, some) => {
        fc.pre(known.length > 0)
        const again = recut(known, some)
        const { fresh, diverged, missing } = through(known, again.slice(0, pick % again.length))
        assert.deepEqual([fresh, diverged], [[], false])
        const cut = markOfParts(again.slice(0, pick % again.length))
        assert.equal(missing, cut.bytes < markOfParts(known).bytes || cut.hash !== markOfParts(known).hash)
      }),
      { numRuns: 1000 },
    )
  })

  it('takes no other text in any passage, and lets nothing through before it', () => {
    fc.assert(
      fc.property(mixedParts(30), fc.nat(), sizes, fc.nat(), (known, pick, some, where) => {
        const again = recut(known, some)
        const at = again.findIndex(({ text }, index) => text !== '' && index >= pick % Math.max(1, again.length))
        fc.pre(at >= 0)
        const one = again[at] ?? assert.fail()
        const inside = where % one.text.length
        const twisted = one.text.slice(0, inside) + String.fromCharCode(one.text.charCodeAt(inside) ^ 1) + one.text.slice(inside + 1)
        const { fresh, diverged } = through(known, again.with(at, { ...one, text: twisted }))
        assert.deepEqual([fresh, diverged], [[], true])
      }),
      { numRuns: 1000 },
    )
  })

  it('takes no other order of the passages', () => {
    fc.assert(
      fc.property(mixedParts(30), fc.nat(), sizes, (known, pick, some) => {
        const passages = passagesOf(known)
        fc.pre(passages.length > 1)
        const at = pick % (passages.length - 1)
        const [one, two] = [passages[at] ?? assert.fail(), passages[at + 1] ?? assert.fail()]
        const swapped = [...passages.slice(0, at), two, one, ...passages.slice(at + 2)].flatMap(({ parts }) => parts)
        fc.pre(markOfParts(swapped).hash !== markOfParts(known).hash)
        const { diverged, missing } = through(known, recut(swapped, some))
        // Where an empty passage of a call falls together with one before it, it is missed.
        assert.ok(diverged || missing)
      }),
      { numRuns: 1000 },
    )
  })

  it('of a tool call goes on in the middle of its arguments, without beginning it again', () => {
    const known = [part('x'), get('', 'a'), more('{"a"')]
    assert.deepEqual(through(known, [part('x'), get('{"a":1', 'b'), more('}')]).fresh, [more(':1'), more('}')])
    assert.deepEqual(through([part('x'), get('')], [part('x'), get('{}', 'b'), part('y')]).fresh, [more('{}'), part('y')])
    assert.deepEqual(through([part('x')], [part('x'), get('{}', 'b')]).fresh, [get('{}', 'b')])
  })

  it('diverges where a tool, a kind or an order is another one, but not where the id of a call is', () => {
    const known = [think('a'), part('b'), get('{}')]
    const cases: [Part[], boolean][] = [
      [[think('a'), part('b'), get('{}', 'other')], false],
      [[think('a'), part('b'), get('{}', 'a', 'put')], true],
      [[think('a'), part('b'), part('{}')], true],
      [[part('b'), think('a'), get('{}')], true],
      [[think('ab')], true],
      [[think('a'), get('{}')], true],
      [[think('a'), part('b'), { kind: 'tool_call', index: 1, id: 'a', name: 'get', text: '{}' }], true],
    ]
    for (const [again, diverged] of cases) assert.equal(through(known, again).diverged, diverged, JSON.stringify(again))
    assert.equal(through(known, [think('a')]).missing, true)
    assert.equal(through([get('')], []).missing, true)
  })
})
