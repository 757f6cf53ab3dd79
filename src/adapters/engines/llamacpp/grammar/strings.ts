import { either, literal, most_repeats, type Rules } from './rules.ts'

/**
 * One code point of a text as JSON has it. Only what has to be escaped so may be: no two ways of half a code point. Bytes that stand for half a
 * surrogate pair, or for more than Unicode has (llama.cpp reads up to 22 bits), are none: they would be read as several.
 */
const char = '[^"\\\\\\x7F\\x00-\\x1F\\uD800-\\uDFFF\\U00110000-\\U003FFFFF] | "\\\\" (["\\\\/bfnrt] | "u00" [01] [0-9a-fA-F])'

const days = (most: readonly string[]): string => `(${most.join(' | ')})`
const to28 = '"0" [1-9] | "1" [0-9] | "2" [0-8]'
const date = `[0-9]{4} "-" ${either([
  `("0" [13578] | "1" [02]) "-" ${days([to28, '"29"', '"3" [01]'])}`,
  `("0" [469] | "11") "-" ${days([to28, '"29"', '"30"'])}`,
  `"02-" ${days([to28])}`,
])}`
const time =
  '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [+-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])'
const hex = '[0-9a-f]'
const byte = '("25" [0-5] | "2" [0-4] [0-9] | "1" [0-9] [0-9] | [1-9]? [0-9])'

/** Formats that a grammar can hold, by name. No 29th of February: not every year has one. */
const held: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date} "T" ${time}`,
  uuid: `${hex}{8} "-" ${hex}{4} "-" ${hex}{4} "-" ${hex}{4} "-" ${hex}{12}`,
  ipv4: `${byte} "." ${byte} "." ${byte} "." ${byte}`,
}

/** Names of the formats that are held. */
export const heldFormats = Object.keys(held)

/** Formats of JSON Schema that are not: any other is a note and no rule. */
export const otherFormats: readonly string[] = [
  ...['duration', 'email', 'idn-email', 'hostname', 'idn-hostname', 'ipv6', 'uri', 'uri-reference', 'iri', 'iri-reference'],
  ...['uri-template', 'json-pointer', 'relative-json-pointer', 'regex'],
]

/** A text of so many code points. */
export function stringOf(rules: Rules, least: number, most: number | undefined): string {
  const capped = most === undefined ? undefined : Math.min(most, most_repeats)
  return `${literal('"')} ${rules.repeat(char, least, capped)} ${literal('"')}`
}

/** A text in a format; undefined where it is not held. */
export const formatted = (rules: Rules, format: string): string | undefined => {
  const says = Object.hasOwn(held, format) ? held[format] : undefined
  return says === undefined ? undefined : `${literal('"')} ${rules.add(says)} ${literal('"')}`
}
