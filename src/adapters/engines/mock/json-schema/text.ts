import { randomWord } from '../words.ts'
import { textFromPattern } from './pattern.ts'
import { codePoints, limitOf, Unfit, type Keywords } from './schema.ts'

interface Format {
  readonly draw: (next: () => number) => string
  /** Every text of the format matches it; more than those may. */
  readonly shape: RegExp
}

const between = (next: () => number, from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
const two = (value: number): string => String(value).padStart(2, '0')
const date = (next: () => number): string => `${between(next, 2000, 2029)}-${two(between(next, 1, 12))}-${two(between(next, 1, 28))}`
const time = (next: () => number): string => `${two(between(next, 0, 23))}:${two(between(next, 0, 59))}:${two(between(next, 0, 59))}Z`
const hex = (next: () => number, length: number): string => Array.from({ length }, () => between(next, 0, 15).toString(16)).join('')
const plainWord = (next: () => number): string =>
  Array.from({ length: between(next, 3, 8) }, () => 'abcdefghijklmnopqrstuvwxyz'[between(next, 0, 25)] ?? 'a').join('')

/** Formats that are kept to; others are notes for people, as JSON Schema has it. */
const formats: Readonly<Record<string, Format>> = {
  'date-time': { draw: (next) => `${date(next)}T${time(next)}`, shape: /^\d{4}-\d\d-\d\d[Tt ]\d\d/ },
  date: { draw: date, shape: /^\d{4}-\d\d-\d\d$/ },
  time: { draw: time, shape: /^\d\d:\d\d/ },
  duration: { draw: (next) => `PT${between(next, 1, 59)}M`, shape: /^P/ },
  email: { draw: (next) => `${plainWord(next)}@example.com`, shape: /@/ },
  uuid: {
    draw: (next) => `${hex(next, 8)}-${hex(next, 4)}-4${hex(next, 3)}-a${hex(next, 3)}-${hex(next, 12)}`,
    shape: /^(urn:uuid:)?[\da-fA-F]{8}-/,
  },
  uri: { draw: (next) => `https://example.com/${plainWord(next)}`, shape: /^[A-Za-z][\w+.-]*:/ },
  hostname: { draw: (next) => `${plainWord(next)}.example.com`, shape: /^[A-Za-z\d.-]+$/ },
  ipv4: { draw: (next) => `192.0.2.${between(next, 1, 254)}`, shape: /^\d+\.\d+\.\d+\.\d+$/ },
  ipv6: { draw: (next) => `2001:db8::${between(next, 1, 9999)}`, shape: /:/ },
}

const formatOf = (name: unknown): Format | undefined =>
  typeof name === 'string' && Object.hasOwn(formats, name) ? formats[name] : undefined

/** Longest text that is made to have a least length, code points. */
const longest = 20_000

/** @returns true where the text is surely not of the format */
export function misfitsFormat(text: string, format: unknown): boolean {
  return formatOf(format)?.shape.test(text) === false
}

/** A text that fits. @throws Unfit */
export function drawText(schema: Keywords, next: () => number): string {
  const min = limitOf(schema['minLength']) ?? 0
  const max = limitOf(schema['maxLength']) ?? Infinity
  if (min > max) throw new Unfit(`minLength ${min} is more than maxLength ${max}`)
  if (min > longest) throw new Unfit(`minLength ${min} is more than the mock engine writes (${longest})`, true)
  const { pattern } = schema as { readonly pattern?: unknown }
  const format = formatOf(schema['format'])
  if (typeof pattern === 'string') {
    if (format !== undefined) throw new Unfit('pattern and format at once are not supported')
    return textFromPattern(pattern, min, max, next)
  }
  if (format === undefined) return words(min, max, next)
  for (let draw = 0; draw < 20; draw++) {
    const text = format.draw(next)
    if (text.length >= min && text.length <= max) return text
  }
  throw new Unfit(`format ${String(schema['format'])} gives no text of ${min} to ${max} characters`)
}

function words(min: number, max: number, next: () => number): string {
  const points = codePoints(Array.from({ length: between(next, 1, 4) }, () => randomWord(next)).join(' '))
  while (points.length < min) points.push(...codePoints(` ${randomWord(next)}`))
  return points.slice(0, Math.min(points.length, max)).join('')
}
