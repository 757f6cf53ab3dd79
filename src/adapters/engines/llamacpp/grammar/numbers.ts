import type { Keywords } from './keywords.ts'
import { either, literal, Unheld } from './rules.ts'

/** Most digits of a whole number without a limit: all that have so many are exact in a double. */
const most_digits = 15
const fraction = '("." [0-9]{1,8})?'
const largest = 10 ** most_digits - 1

/** Limits of a number; an excluded limit is no value of it. */
interface Limits {
  readonly low: number
  readonly high: number
  readonly lowExcluded: boolean
  readonly highExcluded: boolean
}

const digits = (from: string, to: string): string => (from === to ? literal(from) : `[${from}-${to}]`)
const anyDigits = (count: number): string => (count === 0 ? '' : ` [0-9]{${count}}`)

/** Numbers between two of as many digits. */
function ofLength(from: string, to: string): string {
  const rest = from.length - 1
  const [first = '0', last = '9'] = [from[0], to[0]]
  if (rest === 0) return digits(first, last)
  const [low, high] = [from.slice(1), to.slice(1)]
  const [zeros, nines] = ['0'.repeat(rest), '9'.repeat(rest)]
  if (first === last) return `${literal(first)} ${low === zeros && high === nines ? anyDigits(rest).trim() : ofLength(low, high)}`
  const [wholeFirst, wholeLast] = [low === zeros, high === nines]
  const [a, b] = [Number(first) + (wholeFirst ? 0 : 1), Number(last) - (wholeLast ? 0 : 1)]
  return either([
    ...(wholeFirst ? [] : [`${literal(first)} ${ofLength(low, nines)}`]),
    ...(a > b ? [] : [`${digits(String(a), String(b))}${anyDigits(rest)}`]),
    ...(wholeLast ? [] : [`${literal(last)} ${ofLength(zeros, high)}`]),
  ])
}

/** Whole numbers from one to another, none of them below 0. */
function wholes(from: number, to: number): string {
  const ways: string[] = []
  for (let low = from; low <= to;) {
    const [text, end] = [String(low), Math.min(to, 10 ** String(low).length - 1)]
    ways.push(ofLength(text, String(end)))
    low = end + 1
  }
  return either(ways)
}

/** Whole numbers within limits that are whole themselves or infinite; undefined where there are none. */
function integers({ low, high, lowExcluded, highExcluded }: Limits): string | undefined {
  const from = Math.max(-largest, lowExcluded ? Math.floor(low) + 1 : Math.ceil(low))
  const to = Math.min(largest, highExcluded ? Math.ceil(high) - 1 : Math.floor(high))
  if (from > to) return undefined
  if (from === -largest && to === largest) return '"-"? ("0" | [1-9] [0-9]{0,14})'
  return either([...(from < 0 ? [`"-" ${wholes(Math.max(1, -to), -from)}`] : []), ...(to >= 0 ? [wholes(Math.max(0, from), to)] : [])])
}

/** Numbers within limits that are whole or infinite, with up to eight digits behind the point; undefined where there are none. */
function numbers({ low, high, lowExcluded, highExcluded }: Limits): string | undefined {
  if (low === -Infinity && high === Infinity) return `"-"? ("0" | [1-9] [0-9]{0,14}) ${fraction} ([eE] [-+]? [0-9]{1,2})?`
  const above = low < 0 ? { low: 0, high, lowExcluded: false, highExcluded } : { low, high, lowExcluded, highExcluded }
  const mirrored = { low: -high, high: -low, lowExcluded: highExcluded, highExcluded: lowExcluded }
  const below = high > 0 ? { ...mirrored, low: 0, lowExcluded: false } : mirrored
  const ways = [...positive(above), ...(low < 0 ? positive(below).map((way) => `"-" ${way}`) : [])]
  return ways.length === 0 ? undefined : either(ways)
}

/** Numbers that are not below 0: whole ones with what there may be behind their points, and the last one without. */
function positive({ low, high, lowExcluded, highExcluded }: Limits): string[] {
  const broken = integers({ low, high: high - 1, lowExcluded, highExcluded: false })
  const first = lowExcluded && low < high ? `${literal(`${low}.`)} [0-9]{0,7} [1-9]` : undefined
  const last =
    highExcluded || low > high || (lowExcluded && low === high)
      ? undefined
      : integers({ low: high, high, lowExcluded: false, highExcluded })
  return [broken === undefined ? undefined : `${broken} ${fraction}`, first, last].filter((way) => way !== undefined)
}

/** A number that fits. @throws Unheld */
export function numberOf(type: 'number' | 'integer', schema: Keywords, path: string): string {
  const limit = (keyword: string): number | undefined => {
    const value = schema[keyword]
    if (value === undefined) return undefined
    if (typeof value !== 'number') throw new Unheld(`${path}.${keyword}`, 'must be a number')
    if (type === 'number' && !Number.isSafeInteger(value))
      throw new Unheld(`${path}.${keyword}`, 'a grammar here can hold whole limits of numbers')
    return value
  }
  const step = limit('multipleOf')
  if (step !== undefined && !(type === 'integer' && step === 1)) throw new Unheld(`${path}.multipleOf`, 'no grammar here can hold it')
  const [low, high] = [limit('minimum') ?? -Infinity, limit('maximum') ?? Infinity]
  const [above, below] = [limit('exclusiveMinimum') ?? -Infinity, limit('exclusiveMaximum') ?? Infinity]
  const limits = {
    ...{ low: Math.max(low, above), lowExcluded: above >= low && above > -Infinity },
    ...{ high: Math.min(high, below), highExcluded: below <= high && below < Infinity },
  }
  const says = type === 'integer' ? integers(limits) : numbers(limits)
  if (says !== undefined) return says
  const [last = ''] = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'].filter((keyword) => keyword in schema)
  throw new Unheld(`${path}.${last}`, 'leaves no number that can be written here')
}
