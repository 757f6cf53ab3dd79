import fc, { type Arbitrary } from 'fast-check'
import { resolve, type Schema } from './contract.ts'

/** Longer texts and lists are allowed by the contract, but the limit on bodies comes first. */
const longest = 2000
const most = 64

// Characters that have broken programs before: NUL, quotes, separators of lines, several bytes, several code units.
const character = fc.oneof(
  { weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 1 }) },
  { weight: 2, arbitrary: fc.constantFrom('\0', '"', '\\', '\n', '\u2028', '\u0130', 'é', '橋', '🦢', '%', '__proto__') },
)

const text = (minLength: number, maxLength: number): Arbitrary<string> =>
  fc
    .array(character, { minLength, maxLength: Math.max(minLength, Math.min(maxLength, 24)) })
    .map((parts) => parts.join('').slice(0, maxLength).toWellFormed())

const whole = (minimum: number, maximum: number): Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: minimum, max: maximum }),
    fc.constantFrom(minimum, maximum),
    fc.integer({ min: minimum, max: Math.min(maximum, minimum + 50) }),
  )

/** Values that match a schema. */
export function valueOf(given: Schema): Arbitrary<unknown> {
  const schema = resolve(given)
  const { minimum = -1e9, maximum = 1e9, oneOf: ways = schema.anyOf, nullable } = schema
  if (ways !== undefined) return fc.oneof(...ways.map(valueOf))
  if (nullable === true) return fc.option(valueOf({ ...schema, nullable: false }), { freq: 8 })
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case 'string':
      return stringOf(schema)
    case 'integer':
      return whole(minimum, maximum)
    case 'number':
      return fc.oneof(fc.double({ min: minimum, max: maximum, noNaN: true }), fc.constantFrom(minimum, maximum))
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(valueOf(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 5, 5) })
    case 'object':
      return objectOf(schema)
    default:
      return fc.jsonValue()
  }
}

const pointInTime = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString())

function stringOf({ pattern, format, minLength = 0, maxLength = longest }: Schema): Arbitrary<string> {
  if (format === 'date-time') return pointInTime
  if (pattern === undefined) return text(minLength, maxLength)
  return fc.stringMatching(new RegExp(pattern)).filter(({ length }) => length <= maxLength)
}

/** What objects without a list of properties are: maps of names to values, of any where the schema does not say. */
function objectOf({ properties, required = [], additionalProperties, maxProperties = most }: Schema): Arbitrary<Record<string, unknown>> {
  if (typeof additionalProperties === 'object')
    return fc.dictionary(text(0, 20), valueOf(additionalProperties), { maxKeys: Math.min(maxProperties, 4), noNullPrototype: true })
  if (properties === undefined) return fc.dictionary(text(0, 20), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4, noNullPrototype: true })
  const values = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueOf(schema)]))
  return fc.record(values, { requiredKeys: [...required], noNullPrototype: true })
}

const notAText: Arbitrary<unknown> = fc.constantFrom(null, 0, true, [], {}, ['x'], { x: 1 })
const notANumber: Arbitrary<unknown> = fc.constantFrom(null, '1', '', 'x', true, [], [1], {})

/** Values that do not match a schema, mostly by a hair; whoever uses them checks with a validator. */
export function brokenOf(given: Schema): Arbitrary<unknown> {
  const schema = resolve(given)
  const { minimum, maximum, minLength = 0, maxLength = longest, minItems = 0, maxItems = most } = schema
  const ways = schema.oneOf ?? schema.anyOf
  // What breaks one way may be another: whoever uses these checks with a validator.
  if (ways !== undefined) return fc.oneof(...ways.map(brokenOf), fc.constantFrom(1, true, {}))
  if (schema.enum !== undefined)
    return fc.oneof(notAText, fc.constantFrom('', `${schema.enum[0]!} `, schema.enum[0]!.toUpperCase() + '_', 'toString'))
  switch (schema.type) {
    case 'string': {
      const lengths = [
        ...(maxLength < longest ? [fc.constant('x'.repeat(maxLength + 1))] : []),
        ...(minLength > 0 ? [fc.constant('')] : []),
      ]
      const shapes = schema.pattern === undefined ? [] : [text(1, 20), fc.constantFrom('.', '..', ' a', 'a ', 'a\n', 'a/b', 'ä', '-', '\0')]
      return fc.oneof(notAText, fc.constant('half \ud83e'), ...lengths, ...shapes)
    }
    case 'integer':
    case 'number': {
      const bounds = [
        ...(minimum === undefined ? [] : [minimum - 1, -1e300]),
        ...(maximum === undefined ? [] : [maximum + 1, 1e300]),
        ...(schema.type === 'integer' ? [(minimum ?? 0) + 0.5] : []),
      ]
      return fc.oneof(notANumber, ...(bounds.length === 0 ? [] : [fc.constantFrom(...bounds)]))
    }
    case 'boolean':
      return fc.constantFrom(null, 'true', 0, 1, [], {})
    case 'array': {
      const items = schema.items ?? {}
      const sizes = [
        ...(minItems > 0 ? [fc.constant([])] : []),
        ...(maxItems < most ? [fc.array(valueOf(items), { minLength: maxItems + 1, maxLength: maxItems + 1 })] : []),
      ]
      return fc.oneof(
        fc.constantFrom(null, '', 1, {}, { length: 1 }),
        brokenOf(items).map((item) => [item]),
        ...sizes,
      )
    }
    case 'object':
      return brokenObjectOf(schema)
    default:
      return fc.constant(undefined)
  }
}

/** An object with one property that is missing, unknown or broken. */
function brokenObjectOf(schema: Schema): Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, maxProperties = most } = schema
  const not = fc.constantFrom(null, 'x', 1, [])
  if (additionalProperties === true) return not
  const sound = objectOf(schema)
  if (typeof additionalProperties === 'object') {
    const many = Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, i) => [String(i), '']))
    return fc.oneof(
      not,
      brokenOf(additionalProperties).map((value) => ({ broken: value })),
      fc.constant(many),
    )
  }
  const unknown = fc
    .tuple(sound, fc.constantFrom('surprise', '', '__proto__', 'constructor', 'TASK_ID'))
    .map(([value, name]) => withProperty(value, name, 1))
  const missing = required.length === 0 ? [] : [fc.tuple(sound, fc.constantFrom(...required)).map(([value, name]) => without(value, name))]
  const broken = Object.entries(properties).map(([name, property]) =>
    fc.tuple(sound, brokenOf(property)).map(([value, bad]) => withProperty(value, name, bad)),
  )
  return fc.oneof(not, unknown, ...missing, { weight: 6, arbitrary: fc.oneof(...broken) })
}

const without = (value: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))

/** Object.fromEntries makes own properties of all names, `__proto__` too. */
const withProperty = (value: Readonly<Record<string, unknown>>, name: string, added: unknown): Record<string, unknown> =>
  Object.fromEntries([...Object.entries(value), [name, added]])
