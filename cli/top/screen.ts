import { widthOf } from '../common/output.ts'

/** Where a screen is drawn. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): void
}

/** A terminal's second screen, of which only those lines are written that have changed. */
export class Screen {
  private readonly terminal: Terminal
  private lines: readonly string[] = []

  constructor(terminal: Terminal) {
    this.terminal = terminal
  }

  /** Turns to the second screen and hides the cursor. */
  open(): void {
    this.terminal.write('\x1b[?1049h\x1b[?25l\x1b[2J')
    this.lines = []
  }

  /** Leaves everything as it was. */
  close(): void {
    this.terminal.write('\x1b[?25h\x1b[?1049l')
  }

  /** Forgets what is on the screen: it has another size. */
  forget(): void {
    this.terminal.write('\x1b[2J')
    this.lines = []
  }

  /** Shows these lines from the top, cut to the terminal. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = this.terminal
    const now = lines.slice(0, rows).map((line) => cut(line, columns))
    let out = ''
    for (let i = 0; i < Math.max(now.length, this.lines.length); i++)
      if (now[i] !== this.lines[i]) out += `\x1b[${i + 1};1H${now[i] ?? ''}\x1b[0m\x1b[K`
    this.lines = now
    if (out !== '') this.terminal.write(out)
  }
}

/** As much of a text as fits into columns; its styles stay whole. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let width = 0
  // A style takes no column.
  return (text.match(/\x1b\[[0-9;]*m|[^]/gu) ?? []).filter((piece) => piece.startsWith('\x1b[') || width++ < columns).join('')
}
