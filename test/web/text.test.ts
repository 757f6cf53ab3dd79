import assert from 'node:assert/strict'
import fc from 'fast-check'
import { contextSize, short, shown, shownLines, span, whole } from '../../web/src/text.ts'

describe('the text of the page', () => {
  it('has a sign for whatever hides, turns or ends a line', () => {
    assert.equal(shown('a\u0000b\u001b[31m\nc\t\u007f\u202e\u200b\ufeffd'), 'a␀b␛[31m␊c␉␡⟨U+202E⟩⟨U+200B⟩⟨U+FEFF⟩d')
    assert.equal(shownLines('a\r\nb\tc\rd\u2066'), 'a\nb\tc␍d⟨U+2066⟩')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(shown(text), /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u)
        assert.doesNotMatch(shownLines(text), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
    )
  })

  it('leaves text of any language as it is', () => {
    for (const text of ['Größe', '日本語', 'שלום', '👩‍💻'.replaceAll('\u200d', '')]) assert.equal(shown(text), text)
  })

  it('tells spans as they are counted', () => {
    const spans = [-5, 0, 999, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 90_061_000]
    assert.deepEqual(spans.map(span), ['0:00', '0:00', '0:00', '0:59', '1:00', '59:59', '1:00:00', '23:59:59', '1 d 1 h'])
  })

  it('tells figures in little room', () => {
    assert.deepEqual([0, 0.14, 7, 352.4, 999.6, 9_100, 999_499, 1_200_000, 12_000_000].map(short), [
      '0',
      '0.1',
      '7',
      '352',
      '1000',
      '9.1 k',
      '999.5 k',
      '1.2 M',
      '12 M',
    ])
    assert.deepEqual([0, 999, 1000, 1_234_567].map(whole), ['0', '999', '1,000', '1,234,567'])
    assert.deepEqual([4096, 10_000_000].map(contextSize), ['4,096', '–'])
  })
})
