/** What comes before the text in the arguments of a custom tool's function. */
const opening = /^\s*\{\s*"input"\s*:\s*"/

/** Where the text goes on to, if `from` is the place of a backslash; undefined where its escape is not complete. */
function escapeEnd(json: string, from: number): number | undefined {
  const end = from + (json[from + 1] === 'u' ? 6 : 2)
  return end > json.length ? undefined : end
}

/**
 * The text of a custom tool, as it comes in the JSON arguments of its function. It is given out as early as it can be, and what is given out
 * in all depends on the arguments, not on the pieces they come in.
 */
export class CustomInput {
  /** What was given out. */
  text = ''
  private json = ''
  /** Where the JSON is read next; undefined before the text begins, -1 after its end. */
  private at: number | undefined

  /** @returns more of the text, in whole code points; empty while there is none */
  push(piece: string): string {
    this.json += piece
    const begin = this.at ?? opening.exec(this.json)?.[0].length
    if (begin === undefined || begin < 0) return ''
    let end = begin
    let over = false
    while (end < this.json.length && !over) {
      if (this.json[end] === '"') over = true
      else if (this.json[end] !== '\\') end++
      else {
        const next = escapeEnd(this.json, end)
        if (next === undefined) break
        end = next
      }
    }
    const text = decoded(this.json.slice(begin, end))
    if (text === undefined) {
      this.at = -1
      return ''
    }
    // Half a pair of surrogates waits for the other half.
    const half = /[\ud800-\udbff]$/.test(text) && !over
    if (half && text.length > 1) return this.take(text.slice(0, -1), end - lastLength(this.json.slice(begin, end)))
    if (half) {
      this.at = begin
      return ''
    }
    return this.take(text, over ? -1 : end)
  }

  /** What is left when the call is complete: all of it where the arguments have another form. */
  finish(): string {
    const whole = inputOf(this.json)
    return whole.startsWith(this.text) ? this.take(whole.slice(this.text.length), -1) : ''
  }

  private take(text: string, at: number): string {
    this.text += text
    this.at = at
    return text
  }
}

/** Length of the last character of a JSON text, escaped or not. */
const lastLength = (json: string): number => (/\\u[0-9a-fA-F]{4}$/.test(json) ? 6 : 1)

function decoded(json: string): string | undefined {
  try {
    return JSON.parse(`"${json}"`) as string
  } catch {
    // What is no JSON is given as it is when the call is complete.
    return undefined
  }
}

/** The text in whole arguments; the arguments themselves where they have another form. */
function inputOf(json: string): string {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && 'input' in value && typeof value.input === 'string') return value.input
    return json
  } catch {
    // A call that was cut off has given out what there was of its text.
    return opening.test(json) ? '' : json
  }
}
