import assert from 'node:assert/strict'
import fc from 'fast-check'
import { StopSequences } from '../../../src/domain/stream/stop-sequences.ts'

// Few letters, so that stops overlap, nest and repeat.
const letters = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength })
const stopsOf = fc.array(letters(4), { maxLength: 4 })

/** The text before the stop that is complete first; of several that end at the same letter, the longest. */
function cutAtFirst(text: string, stops: readonly string[]): { readonly text: string; readonly stopped?: string } {
  for (let end = 1; end <= text.length; end++) {
    const done = stops.filter((stop) => stop !== '' && text.slice(0, end).endsWith(stop))
    const longest = done.reduce((one, other) => (other.length > one.length ? other : one), '')
    if (longest !== '') return { text: text.slice(0, end - longest.length), stopped: longest }
  }
  return { text }
}

/** Whether what is held back may yet become a stop. */
const mayBecomeStop = (held: string, stops: readonly string[]): boolean =>
  held === '' || stops.some((stop) => stop.length > held.length && stop.startsWith(held))

describe('stop sequences', () => {
  it('give the same text however it was split: all before the first stop that is complete', () => {
    fc.assert(
      fc.property(fc.array(letters(5), { maxLength: 10 }), stopsOf, (pieces, stops) => {
        const filter = new StopSequences(stops)
        const out = pieces.map((piece) => filter.push(piece)).join('')
        const { stopped, told } = filter
        const expected = cutAtFirst(pieces.join(''), stops)
        assert.deepEqual([out + filter.flush(), stopped, told.stop_sequence], [expected.text, 'stopped' in expected, expected.stopped])
      }),
      {
        numRuns: 5000,
        examples: [
          [['abca'], ['abca', 'c']],
          [
            ['ab', 'ca'],
            ['abca', 'c'],
          ],
        ],
      },
    )
  })

  it('hold back nothing longer than it may become a stop, and never less', () => {
    fc.assert(
      fc.property(fc.array(letters(3), { maxLength: 10 }), stopsOf, (pieces, stops) => {
        const filter = new StopSequences(stops)
        let out = ''
        let whole = ''
        for (const piece of pieces) {
          out += filter.push(piece)
          whole += piece
          if (filter.stopped) return
          const held = whole.slice(out.length)
          assert.ok(whole.startsWith(out))
          assert.ok(mayBecomeStop(held, stops), `held ${held}`)
          for (let at = 0; at < out.length; at++) assert.ok(!mayBecomeStop(whole.slice(at), stops), `let ${whole.slice(at)} go`)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('let everything through where there is nothing to stop at', () => {
    for (const filter of [new StopSequences(), new StopSequences(['', ''])]) {
      assert.equal(filter.push('abc'), 'abc')
      assert.equal(filter.flush(), '')
      assert.equal(filter.stopped, false)
    }
  })

  it('say nothing after a stop', () => {
    const filter = new StopSequences(['END'])
    assert.equal(filter.push('text EN'), 'text ')
    assert.equal(filter.push('D more'), '')
    assert.equal(filter.stopped, true)
    assert.equal(filter.push('more'), '')
    assert.equal(filter.flush(), '')
  })
})
