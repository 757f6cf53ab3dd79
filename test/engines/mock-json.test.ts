import assert from 'node:assert/strict'
import fc from 'fast-check'
import { drawJson } from '../../src/adapters/engines/mock/json-schema/draw.ts'
import { misfits } from '../../src/adapters/engines/mock/json-schema/misfit.ts'
import { textFromPattern } from '../../src/adapters/engines/mock/json-schema/pattern.ts'
import { Unfit } from '../../src/adapters/engines/mock/json-schema/schema.ts'
import { random } from '../../src/adapters/engines/mock/words.ts'
import { EngineError } from '../../src/ports/engine.ts'
import { anySchema, fitting, patterns, seeds, validator, type Schema } from './mock-json.kit.ts'
import { answerOf } from './mock.kit.ts'

const tree: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    children: { type: 'array', items: { $ref: '#/$defs/node' }, minItems: 1 },
    next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
  },
  required: ['children', 'next'],
  $defs: {
    node: {
      type: 'object',
      properties: { left: { $ref: '#/$defs/node' }, id: { $ref: '#/$defs/id~1x' } },
      required: ['id'],
      additionalProperties: false,
    },
    'id/x': { type: 'integer' },
  },
}

/** Schemas that no value fits, or that are not kept to, and what is said. */
const hopeless: readonly (readonly [schema: unknown, message: RegExp])[] = [
  [false, /^#: allows no value$/],
  [{ type: 'integer', minimum: 2, maximum: 1 }, /^#: no whole number/],
  [{ type: 'integer', minimum: 0.1, maximum: 0.9 }, /^#: no whole number/],
  [{ type: 'string', minLength: 2, maxLength: 1 }, /^#: minLength 2 is more than maxLength 1/],
  [{ enum: [] }, /^#: no value of const or enum/],
  [{ type: 'string', enum: [1] }, /^#: no value of const or enum/],
  [{ allOf: [{ type: 'string' }, { type: 'integer' }] }, /no type is string as well as integer/],
  [{ type: 'object', required: ['a'], additionalProperties: false }, /^#\/a: allows no value/],
  [{ type: 'array', minItems: 3, maxItems: 1 }, /^#: minItems 3/],
  [{ type: 'array', items: { type: 'boolean' }, uniqueItems: true, minItems: 3 }, /differs from the others/],
  [{ oneOf: [{ type: 'integer' }, { type: 'integer' }] }, /fits one schema of oneOf only/],
  [{ type: 'string', not: {} }, /does not fit the schema of not/],
  [{ $ref: '#/$defs/gone' }, /points to nothing/],
  [{ $ref: 'https://example.com/schema' }, /does not begin with #/],
  [{ $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, /too large/],
  [{ type: 'object', properties: { me: { $ref: '#' } }, required: ['me'] }, /contains itself/],
  [{ if: { type: 'string' }, then: { minLength: 1 } }, /cannot keep to if/],
  [
    { type: 'object', properties: { a: {} }, required: ['a'], patternProperties: { '^a': { type: 'null' } } },
    /cannot keep to patternProperties/,
  ],
  [{ type: 'string', pattern: '^(?=a)b$' }, /pattern .* is not one of those/],
  [{ type: 'string', pattern: '^a{5}$', maxLength: 3 }, /gives no text of 0 to 3/],
  [{ type: 'string', pattern: '(((a?){9999}){9999}){9999}' }, /gets too long/],
  [{ type: 'string', pattern: '('.repeat(100_000) }, /pattern/],
  [{ type: 'string', minLength: 1e9 }, /is more than the mock engine writes/],
  [{ type: 'array', items: {}, minItems: 1e9 }, /too large/],
  [{ type: 'array', items: { type: 'integer', maximum: 1e9, minimum: 0 }, minItems: 15_000, uniqueItems: true }, /too large/],
  [{ not: { $ref: '#/$defs/a' }, $defs: { a: { allOf: Array.from({ length: 9 }, () => ({ $ref: '#/$defs/a' })) } } }, /schema of not/],
  [{ type: 'wrong' }, /wrong is not a type/],
]

describe('JSON that fits a schema', () => {
  it('fits, whatever the schema and the seed, and is the same again', () => {
    fc.assert(
      fc.property(anySchema, seeds, (schema, seed) => {
        const value = drawJson(schema, random(seed))
        validator(schema)(JSON.parse(JSON.stringify(value)))
        assert.deepEqual(drawJson(schema, random(seed)), value)
        assert.equal(misfits(schema, value, { root: schema, left: 10_000 }), false)
      }),
      { numRuns: 300 },
    )
  })

  it('comes to an end where the schema contains itself', () => {
    const check = validator(tree)
    for (let seed = 0; seed < 100; seed++) check(drawJson(tree, random(seed * 7919)))
  })

  it('has members of any name', () => {
    const schema: unknown = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"const":1},"toString":{"const":2}},"required":["__proto__","toString"]}',
    )
    assert.equal(JSON.stringify(drawJson(schema, random(1))), '{"__proto__":1,"toString":2}')
  })

  it('differs from seed to seed', () => {
    assert.equal(new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify(drawJson(tree, random(seed))))).size > 40, true)
  })

  it('matches the patterns that schemas have', () => {
    for (const pattern of [
      ...patterns,
      '^a$|^bc$',
      '\\(\\d{3}\\) \\d+',
      '^(?:x|y)+?z$',
      '^(?<year>\\d{4})-[01]\\d$',
      '[\\w.-]+',
      '^\\u0041\\x42$',
      '^\\S+\\s\\D\\W$',
    ])
      for (let seed = 0; seed < 50; seed++) {
        const text = textFromPattern(pattern, 0, 200, random(seed))
        assert.match(text, new RegExp(pattern, 'u'))
      }
    assert.equal(textFromPattern('^a+$', 40, 45, random(1)).length >= 40, true)
  })

  it('is refused where nothing fits or a keyword is not kept to, and the message names the place', () => {
    for (const [schema, message] of hopeless)
      assert.throws(
        () => drawJson(schema, random(1)),
        (error) => error instanceof Unfit && message.test(error.message),
        JSON.stringify(schema).slice(0, 200),
      )
  })

  it('never calls fitting a misfit', () => {
    fc.assert(
      fc.property(anySchema, anySchema, seeds, (schema, other, seed) => {
        const value = JSON.parse(JSON.stringify(drawJson(schema, random(seed)))) as unknown
        const fits = fitting(other)
        if (misfits(other, value, { root: other, left: 10_000 }))
          assert.equal(fits(value), false, `${JSON.stringify(value)} fits ${JSON.stringify(other)}`)
      }),
      { numRuns: 300 },
    )
  })

  it('is what the mock answers with, in tokens, as JSON and nothing else', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city', 'days'],
      additionalProperties: false,
    }
    const check = validator(schema)
    const objects = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const answer = await answerOf({ seed, chat: { response_format: { type: 'json_schema', json_schema: { name: 'trip', schema } } } })
      check(JSON.parse(answer.text))
      assert.deepEqual([answer.finish_reason, answer.parts.length > 3], ['stop', true])
      const any = await answerOf({ seed, chat: { response_format: { type: 'json_object' } } })
      assert.equal(typeof JSON.parse(any.text), 'object')
      objects.add(any.text)
    }
    assert.equal(objects.size > 40, true)
    const json_schema = { name: 'no', schema: { type: 'integer', minimum: 2, maximum: 1 } }
    await assert.rejects(
      answerOf({ chat: { response_format: { type: 'json_schema', json_schema } } }),
      (error) =>
        error instanceof EngineError &&
        !error.retriable &&
        error.message.startsWith('response_format.json_schema.schema: #: no whole number'),
    )
  })
})
