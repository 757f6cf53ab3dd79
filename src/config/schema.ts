import { readFileSync } from 'node:fs'
import type { Path } from './problem.ts'

/** The parts of a JSON Schema that messages are made of. */
export interface Schema {
  readonly $ref?: string
  readonly definitions?: Readonly<Record<string, Schema>>
  readonly properties?: Readonly<Record<string, Schema | true>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly discriminator?: { readonly propertyName: string }
  readonly enum?: readonly unknown[]
  readonly examples?: readonly unknown[]
  /** A secret. */
  readonly writeOnly?: boolean
}

/** The schema of the configuration as codegen put it together. Only a message needs it, so no start without one reads it. */
export const readSchema = (): Schema =>
  JSON.parse(readFileSync(new URL('../../generated/config.schema.json', import.meta.url), 'utf8')) as Schema

/** A schema, or the definition it refers to. */
const followed = (root: Schema, schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (root.definitions?.[schema.$ref.slice('#/definitions/'.length)] ?? {})

const propertyOf = (schema: Schema, key: string): Schema | undefined => {
  const property = schema.properties?.[key]
  return property === true ? undefined : property
}

/** The words that choose among the alternatives of a schema. */
export const wordsOf = (root: Schema, { oneOf = [] }: Schema, key: string): string[] =>
  oneOf.flatMap((alternative) => (propertyOf(followed(root, alternative), key)?.enum ?? []).map(String))

/** Every schema that applies to a value: what is referred to, and the alternatives that the value chooses. */
function applied(root: Schema, given: Schema, value: unknown): Schema[] {
  const schema = followed(root, given)
  const key = schema.discriminator?.propertyName
  if (key === undefined) return [schema]
  const word = (value as Readonly<Record<string, unknown>> | null | undefined)?.[key]
  const chosen = (schema.oneOf ?? []).filter((alternative) => propertyOf(followed(root, alternative), key)?.enum?.includes(word))
  return [schema, ...chosen.flatMap((alternative) => applied(root, alternative, value))]
}

/** Every schema that applies to the value at a path of the configuration. */
export function schemasAt(root: Schema, config: unknown, path: Path): Schema[] {
  let schemas = applied(root, root, config)
  let value = config
  for (const step of path) {
    value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[step]
    const inside = schemas.flatMap((schema) => (typeof step === 'number' ? schema.items : propertyOf(schema, step)) ?? [])
    schemas = inside.flatMap((schema) => applied(root, schema, value))
  }
  return schemas
}

/** Whether what the schema describes may hold a secret. */
export function holdsSecret(root: Schema, schema: Schema): boolean {
  const { writeOnly, properties = {}, items, oneOf = [] } = followed(root, schema)
  if (writeOnly === true) return true
  const parts = [...Object.values(properties), ...(items === undefined ? [] : [items]), ...oneOf]
  return parts.some((part) => part !== true && holdsSecret(root, part))
}
