/** When two parts of contracts say the same. */
import { type Contract, isObject, type Json } from './document.ts'

/** Say nothing about which values are valid. */
const annotations = new Set(['title', 'description', 'example', 'examples', 'externalDocs', 'deprecated', 'xml', 'discriminator'])
/** Hold values of clients, whose fields are no keywords. */
const valued = new Set(['default', 'enum'])

export const isAnnotation = (keyword: string): boolean => annotations.has(keyword) || keyword.startsWith('x-')

/** The value as a message shows it. */
export const show = (value: Json | undefined): string => (value === undefined ? 'nothing' : JSON.stringify(value))

/** What the keys of an object are: keywords of a schema, names of fields whose values are schemas, or part of a client's value. */
type Keys = 'keywords' | 'names' | 'value'

const keysUnder = (keys: Keys, key: string): Keys =>
  keys !== 'keywords' ? (keys === 'names' ? 'keywords' : 'value') : valued.has(key) ? 'value' : key === 'properties' ? 'names' : 'keywords'

/** A schema with its keys in order and without annotations; equal schemas give equal text. */
function canonical(part: Json, keys: Keys = 'keywords'): Json {
  if (Array.isArray(part)) return part.map((one) => canonical(one, keys))
  if (!isObject(part)) return part
  const entries = Object.entries(part).filter(([key]) => keys !== 'keywords' || !isAnnotation(key))
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, child]) => [key, canonical(child, keysUnder(keys, key))]),
  )
}

/** Whether two parts say the same, whatever the order of their keys and their annotations. */
export const sameJson = (a: Json | undefined, b: Json | undefined): boolean =>
  show(a === undefined ? a : canonical(a)) === show(b === undefined ? b : canonical(b))

/** The part with every reference replaced by what it points to; one that points to where it stands in stays. */
export function expanded(contract: Contract, part: Json, within: readonly Json[] = []): Json {
  if (Array.isArray(part)) return part.map((one) => expanded(contract, one, within))
  if (!isObject(part)) return part
  const ref = part['$ref']
  if (typeof ref === 'string') return within.includes(ref) ? part : expanded(contract, contract.resolve(part) ?? {}, [...within, ref])
  return Object.fromEntries(Object.entries(part).map(([key, child]) => [key, expanded(contract, child, within)]))
}
