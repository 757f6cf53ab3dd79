/** What a value beyond its label's budget is recorded as. */
export const other = 'other'

/** Longest label value, characters. */
const max_length = 128

/** Control characters, line and paragraph separators: a label is one line that people read. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}]/gu

/** A label value as it may stand in the exposition: well-formed, printable, at most 128 characters. */
function presentable(value: string): string {
  // An empty label is to Prometheus as none.
  if (value === '') return 'unknown'
  const printable = value
    .slice(0, 2 * max_length)
    .toWellFormed()
    .replace(unprintable, '_')
  return printable.length <= max_length ? printable : Array.from(printable).slice(0, max_length).join('')
}

/**
 * The values one label of one series has at a time, at most as many as its budget. The last place is kept for `other`, which stands for every
 * value that comes too late: their samples add up in it (counters, histograms) or overwrite one another (gauges). A budget of two is a
 * boolean's, whose two values are known.
 */
export class LabelBudget {
  private readonly places: number
  private readonly taken = new Set<string>([other])

  constructor(budget: number) {
    this.places = budget > 2 ? budget : budget + 1
  }

  /** The value to record; takes a place for it where there is one. */
  admit(value: string): string {
    if (this.taken.has(value)) return value
    const name = presentable(value)
    if (this.taken.has(name)) return name
    if (this.taken.size >= this.places) return other
    this.taken.add(name)
    return name
  }

  /** Gives the place of a recorded value back: no sample has it any more. */
  release(name: string): void {
    if (name !== other) this.taken.delete(name)
  }

  /** The value as it has been recorded; takes no place. */
  find(value: string): string {
    const name = presentable(value)
    return this.taken.has(name) ? name : other
  }
}
