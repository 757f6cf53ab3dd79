import assert from 'node:assert/strict'
import { Screen } from '../../cli/top/screen.ts'

describe('a screen', () => {
  let written: string[]
  let size: { columns: number; rows: number }
  let screen: Screen
  beforeEach(() => {
    written = []
    size = { columns: 10, rows: 3 }
    screen = new Screen({
      get columns() {
        return size.columns
      },
      get rows() {
        return size.rows
      },
      write: (text) => void written.push(text),
    })
    screen.open()
    written = []
  })
  const frame = (out: string): string[] => [`\x1b[?2026h${out}\x1b[?2026l`]
  const drawn = (...lines: string[]): string[] => {
    written = []
    screen.draw(lines)
    return written
  }

  it('writes only what has changed, in one piece', () => {
    assert.deepEqual(drawn('abc def', 'x'), frame('\x1b[1;1Habc\x1b[1;5Hdef\x1b[2;1Hx'))
    assert.deepEqual(drawn('abc def', 'x'), [])
    assert.deepEqual(drawn('aBc deF', 'x'), frame('\x1b[1;2HB\x1b[1;7HF'))
  })

  it('clears what a line was longer, and lines that are gone', () => {
    drawn('abc', 'x')
    assert.deepEqual(drawn('a'), frame('\x1b[1;2H\x1b[K\x1b[2;1H\x1b[K'))
  })

  it('takes a look for a change, and ends it where it ends', () => {
    drawn('abc')
    assert.deepEqual(drawn('a\x1b[7mb\x1b[27mc'), frame('\x1b[1;2H\x1b[0m\x1b[7mb\x1b[0m'))
    assert.deepEqual(drawn('abc'), frame('\x1b[1;2Hb'))
  })

  it('keeps within the terminal, whose last column it may fill', () => {
    drawn('0123456789ab', '1', '2', '3')
    assert.deepEqual(written, frame('\x1b[1;1H0123456789\x1b[2;1H1\x1b[3;1H2'))
    assert.deepEqual(drawn('0123456780', '1', '2'), frame('\x1b[1;10H0'))
  })

  it('draws all of it anew where the size is another', () => {
    drawn('0123456789ab')
    size.columns = 5
    screen.forget()
    assert.deepEqual(drawn('0123456789ab'), frame('\x1b[1;1H01234'))
  })
})
