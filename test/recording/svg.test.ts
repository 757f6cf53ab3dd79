import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { svgOf } from './svg.ts'

const look = { columns: 10, rows: 2, rest_ms: 1000, title: 'A < B' }

describe('a recording of terminals', () => {
  it('shows each screen at its moment, and writes a line once', () => {
    const svg = svgOf(
      [
        { at_ms: 0, lines: ['$ a', 'b & c'] },
        { at_ms: 500, lines: ['$ a', 'b & c'] },
        { at_ms: 1000, lines: ['$ a', '# d'] },
      ],
      look,
    )
    assert.deepEqual(svg.match(/<text [^>]*>[^<]*/g), [
      '<text id="l0" class="typed">$ a',
      '<text id="l1" class="shown">b &#38; c',
      '<text id="l2" class="note"># d',
    ])
    assert.deepEqual(svg.match(/<g transform[^>]*>/g)?.length, 2)
    assert.match(svg, /@keyframes shots\{0\.00%\{[^}]*\}50\.00%\{[^}]*\}\}/)
    assert.match(svg, /animation:shots 2\.0s/)
    assert.match(svg, /<title>A &#60; B<\/title>/)
  })

  it('is in the README as its script made it: a queue, a kill and an answer that is whole', () => {
    const svg = readFileSync(join(import.meta.dirname, '../../docs/recording.svg'), 'utf8')
    for (const told of [
      /1 running, [5-7] waiting/,
      /\d ahead, starts in about/,
      /\$ kill -9 \d+/,
      /no daemon answers/,
      /36 tokens, the first after/,
    ])
      assert.match(svg, told)
  })
})
