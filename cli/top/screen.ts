import { cellsOf, type Cell } from './cells.ts'

/** Where a screen is drawn. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): void
}

/**
 * A terminal's second screen, of which only those cells are written that have changed. Each frame is one write between the marks of synchronized
 * output (DEC private mode 2026), so that a terminal which knows them shows it at once; others pass them over.
 */
export class Screen {
  private readonly terminal: Terminal
  private lines: readonly string[] = []
  private cells: readonly (readonly Cell[])[] = []

  constructor(terminal: Terminal) {
    this.terminal = terminal
  }

  /** Turns to the second screen and hides the cursor. */
  open(): void {
    this.terminal.write('\x1b[?1049h\x1b[?25l\x1b[2J')
    this.known([], [])
  }

  /** Leaves everything as it was. */
  close(): void {
    this.terminal.write('\x1b[?25h\x1b[?1049l')
  }

  /** Forgets what is on the screen: it has another size. */
  forget(): void {
    this.terminal.write('\x1b[2J')
    this.known([], [])
  }

  /** Shows these lines from the top, cut to the terminal. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = this.terminal
    const now = lines.slice(0, rows)
    const cells = now.map((line, i) => (line === this.lines[i] ? (this.cells[i] ?? []) : cellsOf(line).slice(0, columns)))
    let out = ''
    for (let i = 0; i < Math.max(cells.length, this.cells.length); i++)
      if (cells[i] !== this.cells[i]) out += changes(i, this.cells[i] ?? [], cells[i] ?? [])
    this.known(now, cells)
    if (out !== '') this.terminal.write(`\x1b[?2026h${out}\x1b[?2026l`)
  }

  private known(lines: readonly string[], cells: readonly (readonly Cell[])[]): void {
    this.lines = lines
    this.cells = cells
  }
}

const goTo = (row: number, column: number): string => `\x1b[${row + 1};${column + 1}H`

/** What makes one row into another: each run of cells that differ, and the rest of a row that was longer. */
function changes(row: number, before: readonly Cell[], after: readonly Cell[]): string {
  let out = ''
  let style = ''
  let at = -1
  for (const [column, cell] of after.entries()) {
    const was = before[column] ?? blank
    if (was.text === cell.text && was.style === cell.style) continue
    if (at !== column) out += goTo(row, column)
    if (style !== cell.style) out += `\x1b[0m${cell.style}`
    out += cell.text
    style = cell.style
    at = column + 1
  }
  if (style !== '') out += '\x1b[0m'
  return before.length > after.length ? `${out}${goTo(row, after.length)}\x1b[K` : out
}

/** What is where nothing was written. */
const blank: Cell = { text: ' ', style: '' }
