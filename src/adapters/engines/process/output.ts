const MAX_LINE = 2048
const MAX_LINES_PER_SECOND = 50

/** Control and format characters (bidi overrides too) and the separators some terminals break lines at. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

const escape = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`

const printable = (line: string): string => {
  const text = line.replace(UNPRINTABLE, escape)
  return text.length <= MAX_LINE ? text : `${text.slice(0, MAX_LINE - 1).toWellFormed()}…`
}

/** Hands on at most 50 lines a second and then says how many were left out: a child gone mad must not flood our log. */
export class LineRate {
  private readonly emit: (line: string) => void
  private lines = 0
  private dropped = 0
  private timer: NodeJS.Timeout | undefined

  constructor(emit: (line: string) => void) {
    this.emit = emit
  }

  push(line: string): void {
    this.timer ??= setTimeout(() => this.flush(), 1000).unref()
    this.lines += 1
    if (this.lines <= MAX_LINES_PER_SECOND) this.emit(line)
    else this.dropped += 1
  }

  /** Ends the current second. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const { dropped } = this
    this.lines = 0
    this.dropped = 0
    if (dropped > 0) this.emit(`(${String(dropped)} more lines dropped)`)
  }
}

/** Cuts a stream of text into lines of at most 2048 characters, control characters escaped, empty lines left out. */
export class LineSplitter {
  private readonly emit: (line: string) => void
  private rest = ''
  private skipping = false

  constructor(emit: (line: string) => void) {
    this.emit = emit
  }

  push(chunk: string): void {
    const lines = chunk.split(/\r\n|\n|\r/)
    for (const [index, line] of lines.entries()) {
      if (index > 0) this.endLine()
      // Beyond the cap the rest of a line is not kept, however long it gets.
      if (!this.skipping) this.rest += line
      if (this.rest.length > MAX_LINE) {
        this.emit(printable(this.rest))
        this.rest = ''
        this.skipping = true
      }
    }
  }

  /** Emits what is left without a line end. */
  end(): void {
    this.endLine()
  }

  private endLine(): void {
    if (this.rest.trim().length > 0) this.emit(printable(this.rest))
    this.rest = ''
    this.skipping = false
  }
}
