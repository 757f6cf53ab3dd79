import { stripVTControlCharacters } from 'node:util'

/** Where text goes: standard output or standard error. */
interface Stream {
  readonly isTTY?: boolean
}

/** Writes a line to standard output. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Writes a line to standard error. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`)

/** Writes a value as one line of JSON. */
export const sayJson = (value: unknown): void => say(JSON.stringify(value))

const styles = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], inverse: [7, 27] } as const

/** A way in which text may look. */
export type Style = keyof typeof styles

/** Whether text that goes there may have colours: it is a terminal, and NO_COLOR is not set. */
export const hasColours = (stream: Stream): boolean =>
  stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'

/** The text in a style where the stream takes colours. */
export function styled(style: Style, text: string, stream: Stream = process.stdout): string {
  const [on, off] = styles[style]
  return hasColours(stream) && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text
}

/** Columns a text takes. What the contract lets into names is ASCII. */
export const widthOf = (text: string): number => stripVTControlCharacters(text).length

/** Text as the terminal may show it: nothing in it moves the cursor or changes colours. */
export const shown = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, ' ')

/** Rows below a head, in columns; a column whose values are all numbers or times stands at its right edge. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const right = head.map(
    (_, i) => rows.length > 0 && rows.every((row) => /^(-|[\d.,]+ ?[a-z%/ ]*)$/.test(stripVTControlCharacters(row[i] ?? ''))),
  )
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => widthOf(row[i] ?? ''))))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const gap = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(cell)))
        return right[i] === true ? gap + cell : cell + gap
      })
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)]
}

/** Prints a table, its head bold; the word instead where there are no rows. */
export function sayTable(head: readonly string[], rows: readonly (readonly string[])[], none: string): void {
  if (rows.length === 0) {
    say(none)
    return
  }
  const [first = '', ...rest] = table(head, rows)
  say([styled('bold', first), ...rest].join('\n'))
}

/** A span of time in two digits and its unit: `0.4 s`, `12 s`, `3.5 min`. */
export function spanText(ms: number): string {
  if (ms < 60_000) return `${short(ms / 1000)} s`
  if (ms < 3_600_000) return `${short(ms / 60_000)} min`
  return ms < 86_400_000 ? `${short(ms / 3_600_000)} h` : `${short(ms / 86_400_000)} d`
}

const short = (value: number): string => (value < 9.95 ? value.toFixed(1) : String(Math.round(value)))
