/** What comes before the text in the arguments of a custom tool's function. */
const opening = /^\s*\{\s*"input"\s*:\s*"/

/** Characters that stand for themselves, or one escape (RFC 8259, section 7). Control characters are taken as they are, for models send them. */
const piece = /[^"\\]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** What may yet become an escape. */
const halfEscape = /^\\(?:u[0-9a-fA-F]{0,3})?$/

const highSurrogate = /[\ud800-\udbff]$/

/**
 * The text of a custom tool, as it comes in the JSON arguments of its function. It is given out as early as it can be, and what is given out
 * in all depends on the arguments, not on the pieces they come in.
 */
export class CustomInput {
  /** What was given out. */
  private text = ''
  private json = ''
  /** Where the JSON is read next; undefined before the text begins, -1 after its end. */
  private at: number | undefined
  /** Half of a character. */
  private half = ''

  /** @returns more of the text, in whole code points; empty while there is none */
  push(more: string): string {
    this.json += more
    this.at ??= opening.exec(this.json)?.[0].length
    if (this.at === undefined || this.at < 0) return ''
    let text = this.half
    piece.lastIndex = this.at
    for (let found = piece.exec(this.json); found !== null; found = piece.exec(this.json)) {
      this.at = piece.lastIndex
      text += found[0].startsWith('\\') ? (JSON.parse(`"${found[0]}"`) as string) : found[0]
    }
    const rest = this.json.slice(this.at, this.at + 6)
    const waits = rest === '' || halfEscape.test(rest)
    this.half = waits && highSurrogate.test(text) ? text.slice(-1) : ''
    if (!waits) this.at = -1
    return this.give(text.slice(0, text.length - this.half.length))
  }

  /** What is left when the call is complete: all of it where the arguments have another form. */
  finish(): string {
    const { half } = this
    this.half = ''
    const whole = inputOf(this.json) ?? this.text + half
    return whole.startsWith(this.text) ? this.give(whole.slice(this.text.length)) : ''
  }

  private give(text: string): string {
    this.text += text
    return text
  }
}

/** The text in whole arguments, or what has no such form as it is; undefined where they were cut off inside the text. */
function inputOf(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && 'input' in value && typeof value.input === 'string') return value.input
    return json
  } catch {
    // No JSON: a call that was cut off, or a model that does not know how to write it.
    return opening.test(json) ? undefined : json
  }
}
