/** A grammar cannot hold a schema. */
export class Unheld extends Error {
  override readonly name = 'Unheld'
  /** Where in the schema, such as `.properties.age.pattern`; empty for the schema itself. */
  readonly path: string
  constructor(path: string, why: string) {
    super(why)
    this.path = path
  }
}

/** Most bytes of a grammar: one of that size compiles within milliseconds. */
const most_bytes = 128 * 1024
/** Most elements that the repetitions of a grammar are written out to. */
const most_copies = 20_000
/** Most copies of one repetition: llama.cpp takes no more. */
export const most_repeats = 2000

/** Rules of a grammar in llama.cpp's GBNF: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md */
export class Rules {
  private readonly lines: string[] = []
  /** Names of rules by what they say: what is said twice is written once. */
  private readonly names = new Map<string, string>()
  private bytes = 0
  private copies = 0

  /** Takes a name for a rule that is not made yet. */
  reserve(): string {
    this.lines.push('')
    return `r${this.lines.length - 1}`
  }

  /** Says what a reserved rule is. @throws Unheld where that makes the grammar too large */
  define(name: string, says: string): void {
    const line = `${name} ::= ${says}`
    this.bytes += line.length
    if (this.bytes > most_bytes) throw tooLarge()
    this.lines[Number(name.slice(1))] = line
  }

  /** The name of the rule that says this. @throws Unheld where it makes the grammar too large */
  add(says: string): string {
    const known = this.names.get(says)
    if (known !== undefined) return known
    const name = this.reserve()
    this.names.set(says, name)
    this.define(name, says)
    return name
  }

  /** So many of something one after another. @param most undefined for any number @throws Unheld where that makes the grammar too large */
  repeat(one: string, least: number, most: number | undefined): string {
    const item = this.add(one)
    this.copies += most ?? least
    if (this.copies > most_copies) throw tooLarge()
    return `${item}{${least},${most ?? ''}}`
  }

  /** The whole grammar. @param root what an answer is */
  text(root: string): string {
    return [`root ::= ${root}`, ws, ...this.lines, ''].join('\n')
  }
}

const tooLarge = (): Unheld => new Unheld('', 'is too large for a grammar here; make it shorter, or its limits lower')

/** The text as GBNF has it in quotes. */
export const literal = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** A JSON value as the only text there may be for it. */
export const jsonLiteral = (value: unknown): string => literal(JSON.stringify(value))

/** One of several, in brackets. What comes twice is said once. */
export function either(ways: readonly string[]): string {
  const different = [...new Set(ways)]
  return different.length === 1 ? different.join('') : `(${different.join(' | ')})`
}

/** One of several texts. Where they part, so do the ways: a token is tried against few, however many there are. */
export function oneOfTexts(texts: readonly string[]): string {
  const [first = [], ...others] = [...new Set(texts)].map((text) => Array.from(text))
  const differs = (i: number): boolean => others.some((other) => other[i] !== first[i])
  let common = 0
  while (common < first.length && !differs(common)) common++
  const rest = Map.groupBy(
    [first, ...others].map((points) => points.slice(common)),
    ([point]) => point,
  )
  const begun = common === 0 ? '' : literal(first.slice(0, common).join(''))
  const ways = [...rest].flatMap(([point, group]) => (point === undefined ? [] : [oneOfTexts(group.map((points) => points.join('')))]))
  if (ways.length === 0) return begun
  return `${begun} ${rest.has(undefined) ? `(${either(ways)})?` : either(ways)}`.trim()
}

/** White space between two things. */
export const space = 'ws'
/** None, a space, or a new line and what indents it: a model that goes on with white space alone would never end. */
const ws = 'ws ::= (" " | "\\n" [ \\t]{0,20})?'
