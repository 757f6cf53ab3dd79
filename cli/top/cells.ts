/** One place of the screen: a character, and the escape sequences of its look. */
export interface Cell {
  readonly text: string
  readonly style: string
}

/** Sequences that end a look: these of `styled`, and the one that ends all. */
const ends = /^\x1b\[(0|22|27|39)m$/

/** A line with styles as its cells, one a character: what the contract lets into names is ASCII. */
export function cellsOf(line: string): Cell[] {
  const cells: Cell[] = []
  let style = ''
  for (const piece of line.match(/\x1b\[\d+m|[^]/gu) ?? [])
    if (!/^\x1b\[\d+m$/.test(piece)) cells.push({ text: piece, style })
    else style = ends.test(piece) ? '' : style + piece
  return cells
}
