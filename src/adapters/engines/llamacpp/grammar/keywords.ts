/** A schema that is an object. */
export type Keywords = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Keywords => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The types of JSON Schema. `integer` is part of `number`. */
export const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const
export type Type = (typeof types)[number]

/** Keywords that are held, by the type they speak of. */
export const keywordsOf: Readonly<Partial<Record<Type, readonly string[]>>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
}

/** Keywords that rule out values and that a grammar here cannot hold. What is in no list is a note, such as a description. */
export const unheld: readonly string[] = [
  ...['not', 'if', 'then', 'else', '$dynamicRef', '$recursiveRef', 'pattern', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
  ...['additionalItems', 'unevaluatedItems', 'patternProperties', 'propertyNames', 'dependencies', 'dependentRequired'],
  ...['dependentSchemas', 'unevaluatedProperties'],
]

/** Keywords that say all of a value, so that none but notes may be beside them. */
export const whole = ['$ref', 'allOf', 'anyOf', 'oneOf', 'enum', 'const'] as const

/** Every keyword that rules out values. */
export const ruling: ReadonlySet<string> = new Set([...Object.values(keywordsOf).flat(), ...unheld, ...whole, 'type'])

/** The type of a JSON value. */
export function typeOf(value: unknown): Type {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as Type
}
