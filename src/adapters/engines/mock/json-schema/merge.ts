import { equal, isObject, limitOf, listOf, member, Unfit, type Keywords } from './schema.ts'

const atLeast = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'])
const atMost = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'])

/** A schema that holds both. */
export function both(a: unknown, b: unknown): unknown {
  if (a === undefined || a === true) return b
  if (b === undefined || b === true || equal(a, b)) return a
  if (a === false || b === false) return false
  return { allOf: [a, b] }
}

/** The schema of an object's member. */
export const memberSchema = (schema: Keywords, name: string): unknown =>
  member(schema['properties'], name) ?? schema['additionalProperties']

/** The schema of an array's element. */
export const elementSchema = (schema: Keywords, index: number): unknown => listOf(schema['prefixItems'])[index] ?? schema['items']

/** One schema without combinations that holds two such. @throws Unfit where no value fits both */
export function merge(a: Keywords, b: Keywords): Keywords {
  const merged: Record<string, unknown> = { ...a }
  for (const [keyword, value] of Object.entries(b)) merged[keyword] = keyword in a ? mergeKeyword(keyword, a[keyword], value) : value
  if ('prefixItems' in merged) {
    const length = Math.max(listOf(a['prefixItems']).length, listOf(b['prefixItems']).length)
    merged['prefixItems'] = Array.from({ length }, (_, index) => both(elementSchema(a, index), elementSchema(b, index)) ?? true)
  }
  if ('items' in merged) merged['items'] = both(a['items'], b['items'])
  if ('properties' in merged) {
    const names = [a['properties'], b['properties']].flatMap((properties) => (isObject(properties) ? Object.keys(properties) : []))
    const schemas = [...new Set(names)].map((name) => [name, both(memberSchema(a, name), memberSchema(b, name)) ?? true] as const)
    merged['properties'] = Object.fromEntries(schemas)
  }
  if ('additionalProperties' in merged) merged['additionalProperties'] = both(a['additionalProperties'], b['additionalProperties'])
  return merged
}

function mergeKeyword(keyword: string, a: unknown, b: unknown): unknown {
  if (atLeast.has(keyword)) return Math.max(limitOf(a) ?? -Infinity, limitOf(b) ?? -Infinity)
  if (atMost.has(keyword)) return Math.min(limitOf(a) ?? Infinity, limitOf(b) ?? Infinity)
  if (keyword === 'type') return mergeTypes(typesOf(a), typesOf(b))
  if (keyword === 'enum') return listOf(a).filter((one) => listOf(b).some((other) => equal(one, other)))
  if (keyword === 'required') return [...new Set([...listOf(a), ...listOf(b)])]
  if (keyword === 'uniqueItems') return a === true || b === true
  if (keyword === 'multipleOf') return multipleOfBoth(limitOf(a), limitOf(b))
  if ((keyword === 'const' || keyword === 'pattern' || keyword === 'format') && !equal(a, b))
    throw new Unfit(`${keyword} has two values at once: ${JSON.stringify(a)} and ${JSON.stringify(b)}`)
  return a
}

const typesOf = (type: unknown): readonly unknown[] => (Array.isArray(type) ? (type as unknown[]) : [type])

function mergeTypes(a: readonly unknown[], b: readonly unknown[]): readonly unknown[] {
  const holds = (types: readonly unknown[], type: unknown): boolean =>
    types.includes(type) || (type === 'integer' && types.includes('number'))
  const types = [...new Set([...a.filter((type) => holds(b, type)), ...b.filter((type) => holds(a, type))])]
  if (types.length === 0) throw new Unfit(`no type is ${a.join(' or ')} as well as ${b.join(' or ')}`)
  return types
}

function multipleOfBoth(a = 1, b = 1): number {
  const [small, large] = a < b ? [a, b] : [b, a]
  if (Number.isInteger(large / small)) return large
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y))
  if (Number.isInteger(a) && Number.isInteger(b)) return (a / gcd(a, b)) * b
  throw new Unfit(`multipleOf ${a} and ${b} at once is not supported`)
}
