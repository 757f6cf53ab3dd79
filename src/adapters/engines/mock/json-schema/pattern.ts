import { codePoints, Unfit } from './schema.ts'

/** Code points from, to. */
type Range = readonly [number, number]

type Node =
  | { readonly kind: 'char'; readonly ranges: readonly Range[] }
  | { readonly kind: 'all'; readonly nodes: readonly Node[] }
  | { readonly kind: 'one'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }

const range = (from: string, to = from): Range => [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0]
const [digits, lower, upper] = [range('0', '9'), range('a', 'z'), range('A', 'Z')]

const classes: Readonly<Record<string, readonly Range[]>> = {
  ...{ d: [digits], w: [digits, lower, upper, range('_')], s: [range(' ')] },
  ...{ D: [lower], W: [range('-')], S: [digits, lower] },
}
const controls: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', '0': '\0' }

/** Longest text that is drawn, code points. */
const longest = 10_000
/** Groups within groups. */
const deepest = 32

/** Parses the regular expressions that schemas usually have: literals, classes, groups, alternatives and repetitions, anchored or not. */
class Parser {
  private readonly source: readonly string[]
  private at = 0
  private depth = 0

  constructor(source: string) {
    this.source = codePoints(source)
  }

  parse(): Node {
    const node = this.alternatives()
    if (this.at < this.source.length) this.refuse()
    return node
  }

  private alternatives(): Node {
    const nodes = [this.sequence()]
    while (this.skip('|')) nodes.push(this.sequence())
    return nodes.length === 1 ? (nodes[0] ?? this.refuse()) : { kind: 'one', nodes }
  }

  private sequence(): Node {
    const nodes: Node[] = []
    if (this.depth === 0) this.skip('^')
    for (let char = this.source[this.at]; char !== undefined && char !== '|' && char !== ')'; char = this.source[this.at]) {
      const next = this.source[this.at + 1]
      if (this.depth === 0 && char === '$' && (next === undefined || next === '|')) this.at++
      else nodes.push(this.repeated(this.atom()))
    }
    return { kind: 'all', nodes }
  }

  private repeated(node: Node): Node {
    let bounds: readonly [number, number] | undefined
    if (this.skip('*')) bounds = [0, Infinity]
    else if (this.skip('+')) bounds = [1, Infinity]
    else if (this.skip('?')) bounds = [0, 1]
    else if (this.source[this.at] === '{') {
      const counted = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.source.slice(this.at, this.at + 20).join(''))
      if (counted === null) this.refuse()
      const [whole, min = '', comma, max = ''] = counted
      this.at += whole.length
      bounds = [Number(min), comma === undefined ? Number(min) : max === '' ? Infinity : Number(max)]
    }
    if (bounds === undefined) return node
    this.skip('?')
    return { kind: 'repeat', node, min: bounds[0], max: bounds[1] }
  }

  private atom(): Node {
    const char = this.take()
    if (char === '(') return this.group()
    if (char === '[') return { kind: 'char', ranges: this.set() }
    if (char === '.') return { kind: 'char', ranges: [lower] }
    if (char === '\\') return { kind: 'char', ranges: this.escaped() }
    if ('^$*+?{'.includes(char)) this.refuse()
    return { kind: 'char', ranges: [range(char)] }
  }

  private group(): Node {
    if (this.skip('?') && !this.skip(':')) {
      if (!this.skip('<') || /[=!]/.test(this.source[this.at] ?? '')) this.refuse()
      while (this.take() !== '>');
    }
    if (++this.depth > deepest) this.refuse()
    const node = this.alternatives()
    this.depth--
    if (!this.skip(')')) this.refuse()
    return node
  }

  private set(): readonly Range[] {
    const negated = this.skip('^')
    const ranges: Range[] = []
    while (!this.skip(']')) {
      const from = this.setChar()
      const [first] = from
      const single = from.length === 1 && first !== undefined && first[0] === first[1]
      if (single && this.source[this.at] === '-' && this.source[this.at + 1] !== ']') {
        this.at++
        const to = this.setChar()[0] ?? first
        ranges.push([first[0], to[1]])
      } else ranges.push(...from)
    }
    if (!negated) return ranges.length === 0 ? this.refuse() : ranges
    const printable = Array.from({ length: 95 }, (_, index) => 32 + index)
    const left = printable.filter((code) => !ranges.some(([from, to]) => code >= from && code <= to))
    // Letters read better than what else is left.
    const letters = left.filter((code) => code >= lower[0] && code <= lower[1])
    return (letters.length > 0 ? letters : left.length > 0 ? left : this.refuse()).map((code) => [code, code])
  }

  private setChar(): readonly Range[] {
    const char = this.take()
    return char === '\\' ? this.escaped() : [range(char)]
  }

  private escaped(): readonly Range[] {
    const char = this.take()
    const known = Object.hasOwn(classes, char) ? classes[char] : undefined
    if (known !== undefined) return known
    const control = Object.hasOwn(controls, char) ? controls[char] : undefined
    if (control !== undefined) return [range(control)]
    if (char === 'u' || char === 'x') {
      const hex = this.source.slice(this.at, this.at + (char === 'u' ? 4 : 2)).join('')
      if (!/^[0-9a-fA-F]+$/.test(hex)) this.refuse()
      this.at += hex.length
      return [[parseInt(hex, 16), parseInt(hex, 16)]]
    }
    return /[\p{L}\p{N}]/u.test(char) ? this.refuse() : [range(char)]
  }

  private take(): string {
    return this.source[this.at++] ?? this.refuse()
  }

  private skip(char: string): boolean {
    if (this.source[this.at] !== char) return false
    this.at++
    return true
  }

  private refuse(): never {
    throw new Unfit(`pattern ${this.source.join('')} is not one of those the mock engine can write`)
  }
}

/** Text that is being written. */
interface Writing {
  readonly codes: number[]
  /** Nodes gone through. */
  steps: number
}

/**
 * Text that matches a pattern. No expression of a client is run: what it says is written.
 * @param min least length, code points
 * @throws Unfit where the pattern is none of the simple ones, or too long
 */
export function textFromPattern(pattern: string, min: number, max: number, next: () => number): string {
  const node = new Parser(pattern).parse()
  for (let extra = 3; extra <= longest; extra *= 2)
    for (let draw = 0; draw < 4; draw++) {
      const { codes } = write(node, extra, { codes: [], steps: 0 }, next)
      if (codes.length >= min && codes.length <= max) return String.fromCodePoint(...codes)
    }
  throw new Unfit(`pattern ${pattern} gives no text of ${min} to ${max} characters`)
}

/** @param extra repetitions above the least */
function write(node: Node, extra: number, out: Writing, next: () => number): Writing {
  if (++out.steps > 5 * longest || out.codes.length > longest) throw new Unfit('the text of a pattern gets too long', true)
  const among = (count: number): number => Math.floor(next() * count)
  if (node.kind === 'all') for (const one of node.nodes) write(one, extra, out, next)
  else if (node.kind === 'one') write(node.nodes[among(node.nodes.length)] ?? node, extra, out, next)
  else if (node.kind === 'repeat') {
    const count = node.min + among(Math.min(node.max - node.min, extra) + 1)
    for (let i = 0; i < count; i++) write(node.node, extra, out, next)
  } else {
    const [from, to] = node.ranges[among(node.ranges.length)] ?? digits
    const code = from + among(Math.min(to - from, 100) + 1)
    out.codes.push(code >= 0xd800 && code <= 0xdfff ? from : code)
  }
  return out
}
