import { memberSchema, elementSchema } from './merge.ts'
import { fitsNumber } from './numbers.ts'
import { codePoints, equal, isObject, limitOf, listOf, member, resolve, typeOf } from './schema.ts'
import { misfitsFormat } from './text.ts'

/** Schemas within schemas that are looked at. */
const deepest = 16

/** What a look at values needs, and how much it may still cost. */
export interface Look {
  /** The whole schema, for `$ref`. */
  readonly root: unknown
  /** Schemas and elements to look at. */
  left: number
}

/**
 * Whether a value surely does not fit a schema. False also where that is not known: no pattern of a client is run here, and a look ends
 * where it has cost what it may.
 * @throws Unfit where a `$ref` points to nothing
 */
export function misfits(schema: unknown, value: unknown, look: Look, depth = 0): boolean {
  if (schema === false) return true
  if (!isObject(schema) || depth > deepest || --look.left < 0) return false
  const deeper = (inner: unknown, one: unknown = value): boolean => inner !== undefined && misfits(inner, one, look, depth + 1)
  if ('$ref' in schema && deeper(resolve(look.root, schema['$ref']))) return true
  if ('const' in schema && !equal(schema['const'], value)) return true
  if (Array.isArray(schema['enum']) && !listOf(schema['enum']).some((one) => equal(one, value))) return true
  if ('type' in schema && !hasType(schema['type'], value)) return true
  if (listOf(schema['allOf']).some((one) => deeper(one))) return true
  for (const keyword of ['anyOf', 'oneOf'])
    if (Array.isArray(schema[keyword]) && listOf(schema[keyword]).every((one) => deeper(one))) return true
  if (typeof value === 'number') return !fitsNumber(value, schema)
  if (typeof value === 'string') return outside(codePoints(value).length, schema, 'Length') || misfitsFormat(value, schema['format'])
  if (Array.isArray(value)) {
    const elements = value as readonly unknown[]
    if (outside(elements.length, schema, 'Items') || (schema['uniqueItems'] === true && hasTwins(elements, look))) return true
    return elements.some((one, index) => deeper(elementSchema(schema, index), one))
  }
  if (!isObject(value)) return false
  const names = Object.keys(value)
  if (outside(names.length, schema, 'Properties')) return true
  if (listOf(schema['required']).some((name) => typeof name === 'string' && !Object.hasOwn(value, name))) return true
  const open = 'patternProperties' in schema
  return names.some((name) => deeper(open ? member(schema['properties'], name) : memberSchema(schema, name), value[name]))
}

/** Whether any two elements are the same. */
function hasTwins(elements: readonly unknown[], look: Look): boolean {
  look.left -= elements.length ** 2 / 2
  return look.left > 0 && elements.some((one, index) => elements.slice(0, index).some((other) => equal(one, other)))
}

function hasType(type: unknown, value: unknown): boolean {
  const is = typeOf(value)
  return (Array.isArray(type) ? (type as unknown[]) : [type]).some((one) => one === is || (one === 'number' && is === 'integer'))
}

const outside = (count: number, schema: Readonly<Record<string, unknown>>, what: 'Length' | 'Items' | 'Properties'): boolean =>
  count < (limitOf(schema[`min${what}`]) ?? 0) || count > (limitOf(schema[`max${what}`]) ?? Infinity)
