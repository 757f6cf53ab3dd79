import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'

export type Schema = Readonly<Record<string, unknown>>

export const seeds = fc.integer({ min: 0, max: 0xffffffff })

// One for all: each compiles the schema of schemas anew. `toString` of an object is no member of it.
const ajv = addFormats.default(new Ajv2020({ strict: false, ownProperties: true, validateSchema: false }))

/** What tells whether a value fits. */
export const fitting = (schema: Schema): ((value: unknown) => boolean) => ajv.compile(schema)

/** What throws where a value does not fit. */
export function validator(schema: Schema): (value: unknown) => void {
  const check = ajv.compile(schema)
  return (value) => {
    assert.equal(check(value), true, `${JSON.stringify(value)} does not fit ${JSON.stringify(schema)}: ${ajv.errorsText(check.errors)}`)
  }
}

/** Two limits in order, either left out at times. */
const limits = (low: string, high: string, most: number): fc.Arbitrary<Schema> =>
  fc
    .tuple(fc.nat(most), fc.nat(most), fc.boolean(), fc.boolean())
    .map(([a, b, lower, upper]) => ({ ...(lower ? { [low]: Math.min(a, b) } : {}), ...(upper ? { [high]: Math.max(a, b) } : {}) }))

export const patterns = [
  '^[a-z]{3,8}$',
  '^(red|green)-\\d+$',
  '[A-Z][a-z]*',
  '^\\w+@\\w+\\.(com|org)$',
  '^#[0-9a-fA-F]{6}$',
  '^v\\d+(\\.\\d+){0,2}$',
  '[^\\s"]+',
]
const formats = ['date-time', 'date', 'time', 'email', 'uuid', 'uri', 'hostname', 'ipv4', 'ipv6', 'duration']

const scalar: fc.Arbitrary<Schema> = fc.oneof(
  fc.constantFrom<Schema>(
    { type: 'boolean' },
    { type: 'null' },
    { const: { a: [1, 'x'] } },
    { enum: ['a', 2, null, [true]] },
    {},
    { description: 'anything' },
  ),
  limits('minLength', 'maxLength', 30).map((rest) => ({ type: 'string', ...rest })),
  fc.constantFrom(...patterns).map((pattern) => ({ type: 'string', pattern })),
  fc.constantFrom(...formats).map((format) => ({ type: 'string', format })),
  limits('minimum', 'maximum', 50).map((rest) => ({ type: 'integer', ...rest })),
  limits('minimum', 'maximum', 50).map((rest) => ({ type: 'number', ...rest })),
  fc.constantFrom(1, 3, 0.5, 0.1, 0.01, 7).map((multipleOf) => ({ type: 'number', minimum: -20, maximum: 20, multipleOf })),
  fc.constantFrom<Schema>(
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    { type: 'integer', exclusiveMinimum: 4, maximum: 5 },
  ),
  fc.subarray(['string', 'integer', 'null', 'boolean', 'array', 'object'], { minLength: 1 }).map((type) => ({ type })),
)
const names = ['a', 'b', 'a b', 'constructor', 'é', 'x/y']

const { any } = fc.letrec<{ any: Schema; object: Schema; array: Schema; combined: Schema }>((tie) => ({
  any: fc.oneof({ depthSize: 'small', maxDepth: 3 }, scalar, tie('object'), tie('array'), tie('combined')),
  object: fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4, noNullPrototype: true }),
      fc.nat(15),
      fc.constantFrom(true, false, undefined),
    )
    .map(([properties, chosen, additionalProperties]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).filter((_, index) => (chosen >> index) % 2 === 1),
      ...(additionalProperties === undefined ? {} : { additionalProperties }),
    })),
  array: fc.oneof(
    fc.tuple(tie('any'), limits('minItems', 'maxItems', 4)).map(([items, rest]) => ({ type: 'array', items, ...rest })),
    fc
      .array(tie('any'), { minLength: 1, maxLength: 3 })
      .map((prefixItems) => ({ type: 'array', prefixItems, items: false, minItems: prefixItems.length })),
    fc.constant({ type: 'array', items: { type: 'integer', minimum: 1, maximum: 5 }, uniqueItems: true, minItems: 4 }),
  ),
  combined: fc.oneof(
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => ({
      oneOf: [
        { type: 'object', properties: { kind: { const: 'one' }, value: one }, required: ['kind', 'value'] },
        { type: 'object', properties: { kind: { const: 'other' }, value: other }, required: ['kind', 'value'] },
      ],
    })),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => ({
      type: 'object',
      properties: { one },
      required: ['one'],
      allOf: [{ properties: { other }, required: ['other'] }, { minProperties: 2 }],
    })),
    fc.constantFrom<Schema>(
      { oneOf: [{ type: 'integer' }, { type: 'number' }] },
      { type: 'integer', not: { enum: [1, 2, 3] }, minimum: 0, maximum: 6 },
      {
        allOf: [
          { type: 'integer', minimum: 3 },
          { maximum: 5, multipleOf: 2 },
        ],
      },
      { oneOf: [{ type: 'string', format: 'email' }, { type: 'string', format: 'date' }, { type: 'null' }] },
    ),
  ),
}))

/** Schemas that some value fits. */
export const anySchema: fc.Arbitrary<Schema> = any
