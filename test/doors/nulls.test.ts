import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly nullable?: boolean
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}
interface Content {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Content>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** Optional fields of JSON requests that null is not taken for. */
function withoutNull(door: string): string[] {
  const { paths, components } = JSON.parse(readFileSync(new URL(`../../generated/${door}.json`, import.meta.url), 'utf8')) as Contract
  const resolved = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : (components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {})
  const takesNull = (given: Schema): boolean => {
    const { type, nullable, anyOf } = resolved(given)
    return nullable === true || (anyOf ?? []).some(takesNull) || (type === undefined && anyOf === undefined)
  }
  const seen = new Set<Schema>()
  const walk = (given: Schema, name: string): string[] => {
    const schema = resolved(given)
    if (seen.has(schema)) return []
    seen.add(schema)
    const { properties = {}, required = [], items, anyOf = [] } = schema
    const own = Object.entries(properties).flatMap(([key, value]) => [
      ...(required.includes(key) || takesNull(value) ? [] : [`${name}.${key}`]),
      ...walk(value, `${name}.${key}`),
    ])
    return [...own, ...(items === undefined ? [] : walk(items, `${name}[]`)), ...anyOf.flatMap((one) => walk(one, name))]
  }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ requestBody }) => {
      const schema = requestBody?.content['application/json']?.schema
      return schema === undefined ? [] : walk(schema, path)
    }),
  )
}

describe('a field that a client may leave out', () => {
  for (const door of ['openai', 'anthropic'])
    it(`may be null at the door ${door}`, () => {
      assert.deepEqual(withoutNull(door), [])
    })
})
