import { spawn, type ChildProcess } from 'node:child_process'
import { program } from './command.ts'

/** A terminal of so many columns and rows that shows what a program on a pseudo-terminal writes. */
export class TestTerminal {
  /** All that was written, as it came. */
  raw = ''
  /** Characters that were put on the screen, and how many of them were another than the one that stood there. */
  put = { all: 0, new: 0 }
  /** Frames that were shown at once, between the marks of synchronized output. */
  frames = 0
  readonly ended: Promise<number | null>
  private readonly child: ChildProcess
  private readonly columns: number
  private readonly grid: string[][]
  private row = 0
  private column = 0
  private rest = ''

  /** Runs the real program on it, by util-linux's `script`. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>, columns = 120, rows = 30) {
    this.columns = columns
    this.grid = Array.from({ length: rows }, () => Array<string>(columns).fill(' '))
    const words = [process.execPath, program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
    const command = `stty rows ${rows} cols ${columns}; exec ${words}`
    this.child = spawn('script', ['-qfec', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm-256color', ...env } })
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.take(chunk))
    this.ended = new Promise((resolve, reject) => this.child.on('error', reject).on('close', resolve))
  }

  /** Presses keys. */
  type(keys: string): void {
    this.child.stdin?.write(keys)
  }

  /** The screen as text, without spaces at the ends of lines. */
  get screen(): string {
    return this.grid
      .map((line) => line.join('').trimEnd())
      .join('\n')
      .trimEnd()
  }

  /** Ends the program if it still runs. */
  close(): void {
    this.child.kill('SIGKILL')
  }

  private take(chunk: string): void {
    this.raw += chunk
    const text = this.rest + chunk
    const pieces = text.match(/\x1b\[[?0-9;]*[A-Za-z]|\x1b\[?[?0-9;]*$|[^]/gu) ?? []
    this.rest = ''
    for (const piece of pieces)
      if (!piece.startsWith('\x1b')) this.show(piece)
      else if (/[A-Za-z]$/.test(piece)) this.control(piece)
      else this.rest = piece
  }

  private show(character: string): void {
    if (character === '\r') this.column = 0
    else if (character === '\n') this.nextRow()
    else {
      if (this.column === this.columns) {
        this.nextRow()
        this.column = 0
      }
      const line = this.grid[this.row]!
      this.put.all++
      if (line[this.column] !== character) this.put.new++
      line[this.column++] = character
    }
  }

  private nextRow(): void {
    if (++this.row < this.grid.length) return
    this.row--
    this.grid.push(this.grid.shift()!.fill(' '))
  }

  private control(sequence: string): void {
    const [, numbers = '', letter] = /^\x1b\[([?0-9;]*)([A-Za-z])$/.exec(sequence) ?? []
    if (letter === 'H') {
      const [row = 1, column = 1] = numbers.split(';').map((number) => (number === '' ? 1 : Number(number)))
      this.row = row - 1
      this.column = column - 1
    }
    // After the last column the cursor still stands on it, so what stands there goes, too.
    else if (letter === 'K') this.grid[this.row]?.fill(' ', Math.min(this.column, this.columns - 1))
    else if (sequence === '\x1b[?2026l') this.frames++
    else if (letter === 'J' || numbers === '?1049') this.grid.forEach((line) => line.fill(' '))
  }
}
