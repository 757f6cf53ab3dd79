import { isObject, typeOf, type Keywords } from './keywords.ts'
import { resolve } from './refs.ts'

/** Longest chain of references that is followed. */
const longest_chain = 16

/** What tells the values of a schema from those of others. */
interface Marks {
  /** A whole number is a number. */
  readonly types: ReadonlySet<string> | undefined
  /** The values there may be, as JSON. */
  readonly values: ReadonlySet<string> | undefined
  /** Of an object: the values of properties that it has to have. */
  readonly tags: ReadonlyMap<string, ReadonlySet<string>>
  /** Of an object: the property that is written first. */
  readonly first: string | undefined
}

/** How many of the schemas may be open at once within a list or an object, at most. */
export function openTogether(schemas: readonly unknown[], root: unknown): number {
  const known = schemas.map((schema) => marksOf(referred(schema, root), root))
  const of = (type: string): readonly Marks[] => known.filter(({ types }) => types?.has(type) ?? true)
  const objects = of('object')
  const tag = objects[0]?.first
  const told = tag !== undefined && objects.every(({ first, types }) => first === tag && types?.size === 1)
  const apartAll = told && objects.every((one, i) => objects.slice(i + 1).every((other) => apart(one.tags.get(tag), other.tags.get(tag))))
  return Math.max(1, of('array').length, apartAll ? 1 : objects.length)
}

/** Whether no value can fit two of the schemas, as far as types and constants tell. */
export function isDisjoint(schemas: readonly unknown[], root: unknown): boolean {
  const known = schemas.map((schema) => marksOf(referred(schema, root), root))
  return known.every((one, i) => known.slice(i + 1).every((other) => differ(one, other)))
}

const apart = <T>(one: ReadonlySet<T> | undefined, other: ReadonlySet<T> | undefined): boolean =>
  one !== undefined && other !== undefined && ![...one].some((value) => other.has(value))

/** Objects differ where both have to have a property that cannot be the same in both. */
function differ(one: Marks, other: Marks): boolean {
  if (apart(one.values, other.values) || apart(one.types, other.types)) return true
  return [...one.tags].some(([name, values]) => apart(values, other.tags.get(name)))
}

function marksOf(schema: Keywords, root: unknown): Marks {
  const { type, properties, required } = schema
  const values = constantsOf(schema)
  const tags = new Map<string, ReadonlySet<string>>()
  if (type === 'object' && isObject(properties) && Array.isArray(required))
    for (const name of new Set<unknown>(required)) {
      const tag = typeof name === 'string' && Object.hasOwn(properties, name) ? constantsOf(referred(properties[name], root)) : undefined
      if (typeof name === 'string' && tag !== undefined) tags.set(name, tag)
    }
  const first = isObject(properties) ? Object.keys(properties)[0] : undefined
  return { types: typesOf(type, values), values, tags, first }
}

function referred(schema: unknown, root: unknown): Keywords {
  let found = schema
  for (let steps = 0; steps < longest_chain && isObject(found) && typeof found['$ref'] === 'string'; steps++)
    found = resolve(root, found['$ref'])
  return isObject(found) ? found : {}
}

function constantsOf(schema: Keywords): ReadonlySet<string> | undefined {
  const listed: unknown = 'const' in schema ? [schema['const']] : schema['enum']
  return Array.isArray(listed) ? new Set(listed.map((value) => JSON.stringify(value))) : undefined
}

const plain = (type: unknown): string => (type === 'integer' ? 'number' : String(type))

function typesOf(type: unknown, values: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
  if (type !== undefined) return new Set(Array.isArray(type) ? type.map(plain) : [plain(type)])
  return values === undefined ? undefined : new Set([...values].map((json) => plain(typeOf(JSON.parse(json)))))
}
