import assert from 'node:assert/strict'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { type Direction, type Finding, SchemaDiff } from '../../cli/contract/diff-schema.ts'
import { repeats } from '../harness/long.ts'
import { expanded } from '../../cli/contract/same.ts'
import { Contract, isObject, type Json, type JsonObject, objectOf, textOf } from '../../cli/contract/document.ts'

/*
 * The differ against a validator: where it finds nothing, every request the old schema takes is taken by the new one, and every response
 * the new one allows was allowed by the old one, as a client that ignores unknown fields sees it.
 */

const small = fc.integer({ min: 0, max: 3 })
const keywords = (of: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<JsonObject> =>
  fc.record(of, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>
const typed = (type: string, nullable: boolean, rest: JsonObject): JsonObject => ({ type, ...(nullable ? { nullable } : {}), ...rest })
const of = (type: string, rest: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<JsonObject> =>
  fc.tuple(fc.boolean(), keywords(rest)).map(([nullable, fields]) => typed(type, nullable, fields))

const leaf: fc.Arbitrary<JsonObject> = fc.oneof(
  of('string', {
    minLength: small,
    maxLength: small,
    pattern: fc.constantFrom('^a', 'b$'),
    enum: fc.constantFrom<Json>(['a', 'ab'], ['a', 'ab', 'b'], ['b']),
  }),
  of('integer', { minimum: small, maximum: small, enum: fc.constantFrom<Json>([0, 1], [1], [0, 1, 2]) }),
  of('number', { minimum: small, maximum: small, multipleOf: fc.constantFrom(0.5, 1) }),
  of('boolean', {}),
  fc.constant({}),
)
/** A closed object cannot require what it does not know. */
const satisfiable = (schema: JsonObject): JsonObject =>
  schema['additionalProperties'] === false && Array.isArray(schema['required'])
    ? { ...schema, required: schema['required'].filter((name) => textOf(name) in objectOf(schema['properties'])) }
    : schema
/** The one schema that others refer to. */
const shared: JsonObject = { $ref: '#/shared' }
const anySchema: fc.Arbitrary<JsonObject> = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    of('array', { items: tie('schema'), minItems: small, maxItems: small, uniqueItems: fc.boolean() }),
    of('object', {
      properties: keywords({ a: tie('schema'), b: tie('schema') }),
      required: fc.subarray<Json>(['a', 'b']),
      additionalProperties: fc.oneof<fc.Arbitrary<Json>[]>(fc.boolean(), leaf),
      minProperties: fc.integer({ min: 0, max: 1 }),
      maxProperties: small,
    }).map(satisfiable),
    fc
      .tuple(
        fc.constantFrom('oneOf', 'anyOf', 'allOf'),
        fc.array(fc.oneof({ weight: 3, arbitrary: leaf }, fc.constant(shared)), { minLength: 1, maxLength: 3 }),
      )
      .map(([keyword, list]): JsonObject => ({ [keyword]: list })),
  ),
})).schema

/** A schema and what became of it: a keyword here and there is another or gone. */
const pairOf = (of: fc.Arbitrary<JsonObject>): fc.Arbitrary<readonly [JsonObject, JsonObject]> =>
  fc.oneof(
    fc.tuple(of, of),
    fc.tuple(of, of, fc.infiniteStream(fc.nat(5))).map(([before, other, dice]) => {
      const roll = (): number => Number(dice.next().value)
      const mix = (from: JsonObject, to: JsonObject): JsonObject => {
        const made: JsonObject = {}
        for (const [key, value] of Object.entries({ ...(roll() === 0 ? to : {}), ...from })) {
          const die = roll()
          if (die === 0 && key !== 'type') continue
          made[key] =
            die === 1 && key === 'required'
              ? ['a']
              : die === 1 && typeof value === 'number'
                ? value + 1
                : die === 2 && typeof value === 'number' && value > 0.5
                  ? value - 1
                  : isObject(value)
                    ? mix(value, {})
                    : value
        }
        return made
      }
      return [before, satisfiable(mix(before, other))] as const
    }),
  )

/** A document of one schema that may refer to another, and what became of both. */
const pair = fc
  .tuple(pairOf(anySchema), pairOf(leaf))
  .map(
    ([[before, after], [old, now]]) =>
      [new Contract({ schema: before, shared: old }), new Contract({ schema: after, shared: now })] as const,
  )
const schemaOf = (contract: Contract): JsonObject => objectOf(expanded(contract, contract.root['schema'] ?? {}))

const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, true, 0, 1, 2, 3, 0.5, 1.5, '', 'a', 'b', 'ab', 'aab', 'bbbb'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

const ajv = new Ajv({ strict: false, validateSchema: false, addUsedSchema: false })
const takes = (schema: JsonObject, given: Json): boolean => ajv.validate(schema, given)

function findings(direction: Direction, before: Contract, after: Contract): Finding[] {
  const found: Finding[] = []
  new SchemaDiff(before, after, found).compare(direction, 'value', before.root['schema'], after.root['schema'])
  return found
}

/** The value without the fields a client of the schema does not know, and the schema without its ban of them. */
function known(schema: JsonObject, given: Json): Json {
  if (Array.isArray(given)) return given.map((one) => known(objectOf(schema['items']), one))
  if (!isObject(given) || schema['type'] !== 'object') return given
  const { properties, additionalProperties: rest } = schema
  const entries = Object.entries(given).filter(([name]) => name in objectOf(properties) || rest !== false)
  return Object.fromEntries(entries.map(([name, one]) => [name, known(objectOf(objectOf(properties)[name] ?? rest), one)]))
}

/**
 * How many fields there may be is not for a client that ignores some of them to judge, and what fits two alternatives of `oneOf` is one that it
 * knows.
 */
function asClientSees(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).filter(([key]) => key !== 'minProperties' && key !== 'maxProperties')
  return Object.fromEntries(
    entries.map(([key, child]) => [
      key === 'oneOf' ? 'anyOf' : key,
      key === 'properties'
        ? Object.fromEntries(Object.entries(objectOf(child)).map(([name, one]) => [name, asClientSees(objectOf(one))]))
        : isObject(child)
          ? asClientSees(child)
          : child,
    ]),
  )
}

describe('the differ against a validator', () => {
  it('lets no request be refused that was taken', () => {
    let told = 0
    fc.assert(
      fc.property(pair, fc.array(value, { minLength: 30, maxLength: 30 }), ([older, newer], values) => {
        if (findings('request', older, newer).length > 0) return
        const [before, after] = [schemaOf(older), schemaOf(newer)]
        for (const one of values) {
          if (!takes(before, one)) continue
          if (JSON.stringify(before) !== JSON.stringify(after)) told++
          assert.ok(
            takes(after, one),
            `${JSON.stringify(one)} was taken by ${JSON.stringify(before)} and is not by ${JSON.stringify(after)}`,
          )
        }
      }),
      { numRuns: repeats({ quick: 800, long: 4000 }) },
    )
    assert.ok(told > repeats({ quick: 20, long: 100 }), `only ${told} values said something`)
  })

  it('lets no response out that a client does not know', () => {
    let told = 0
    fc.assert(
      fc.property(pair, fc.array(value, { minLength: 30, maxLength: 30 }), ([older, newer], values) => {
        if (findings('response', older, newer).length > 0) return
        const [before, after] = [schemaOf(older), schemaOf(newer)]
        const old = asClientSees(before)
        for (const one of values) {
          if (!takes(after, one)) continue
          if (JSON.stringify(before) !== JSON.stringify(after)) told++
          assert.ok(
            takes(old, known(old, one)),
            `${JSON.stringify(one)} is allowed by ${JSON.stringify(after)} and was not by ${JSON.stringify(before)}`,
          )
        }
      }),
      { numRuns: repeats({ quick: 800, long: 4000 }) },
    )
    assert.ok(told > repeats({ quick: 20, long: 100 }), `only ${told} values said something`)
  })
})
