import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Replay } from '../../../src/domain/stream/replay.ts'

/** A text cut into pieces that are not empty. */
const pieces = (text: string, cuts: readonly number[]): string[] => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length)).filter((piece) => piece !== '')
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const cuts = fc.array(fc.nat(40), { maxLength: 8 })

describe('a replay', () => {
  it('lets exactly the text through that is not out yet, however it is cut', () => {
    fc.assert(
      fc.property(text, text, cuts, (known, rest, where) => {
        const replay = new Replay(known)
        let given = ''
        for (const piece of pieces(known + rest, where)) given += replay.take(piece) ?? assert.fail('it differs')
        assert.equal(given, rest)
        assert.equal(replay.missing, false)
      }),
    )
  })

  it('takes no piece that differs, and lets nothing through before it', () => {
    fc.assert(
      fc.property(text, fc.nat(), text, cuts, (known, pick, rest, where) => {
        fc.pre(known !== '')
        const at = pick % known.length
        const other = known.slice(0, at) + String.fromCharCode(known.charCodeAt(at) ^ 1) + known.slice(at + 1) + rest
        const replay = new Replay(known)
        for (const piece of pieces(other, where)) {
          const fresh = replay.take(piece)
          if (fresh === undefined) return
          assert.equal(fresh, '')
        }
        assert.fail('it was taken')
      }),
    )
  })

  it('misses what did not come again', () => {
    fc.assert(
      fc.property(text, cuts, fc.nat(), (known, where, pick) => {
        fc.pre(known !== '')
        const replay = new Replay(known)
        for (const piece of pieces(known.slice(0, pick % known.length), where)) assert.equal(replay.take(piece), '')
        assert.equal(replay.missing, true)
      }),
    )
  })
})
