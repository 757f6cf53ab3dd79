import assert from 'node:assert/strict'
import fc from 'fast-check'
import { grammarOf, objectionTo } from '../../src/adapters/engines/llamacpp/grammar/format.ts'
import { repeats } from '../harness/long.ts'
import { formatFor, regexOf, written } from './grammar.kit.ts'
import { anySchema, fitting, validator } from './mock-json.kit.ts'

const any = { type: 'object', properties: { a: {} }, required: ['a'] }

/** What no grammar holds, and what is said of it. */
const unheld: readonly (readonly [schema: unknown, refusal: RegExp])[] = [
  [false, /^response_format\.json_schema\.schema: lets no value fit$/],
  [{ not: {} }, /schema\.not: no grammar/],
  [{ type: 'object', properties: { a: { type: 'string', pattern: '^a' } } }, /schema\.properties\.a\.pattern: no grammar/],
  [{ type: 'array', items: { if: {} } }, /schema\.items\.if: no grammar/],
  [{ type: 'array', uniqueItems: true }, /schema\.uniqueItems: /],
  [{ type: 'object', patternProperties: {} }, /schema\.patternProperties: /],
  [{ type: 'string', format: 'email' }, /schema\.format: a grammar here can hold date, /],
  [{ type: 'string', format: 'date', minLength: 3 }, /schema\.format: .*no length/],
  [{ type: 'number', minimum: 0.5 }, /schema\.minimum: .*whole limits/],
  [{ type: 'integer', multipleOf: 3 }, /schema\.multipleOf: /],
  [{ type: 'integer', minimum: 3, maximum: 2 }, /schema\.minimum: leaves no number/],
  [{ type: 'integer', minimum: 'a' }, /schema\.minimum: must be a number/],
  [{ type: 'string', minLength: -1 }, /schema\.minLength: must be a count/],
  [{ type: 'string', minLength: 2, maxLength: 1 }, /schema\.minLength: may be 1 at most/],
  [{ type: 'string', minLength: 2001 }, /schema\.minLength: may be 2000 at most/],
  [{ type: 'text' }, /schema\.type: must be one of object, /],
  [{ enum: [] }, /schema\.enum: must be a list that is not empty/],
  [{ type: 'string', enum: [1] }, /schema\.enum: has no value of the type/],
  [{ anyOf: [{}], properties: {} }, /schema\.properties: no grammar here can hold it beside anyOf/],
  [{ allOf: [{ type: 'string' }, {}] }, /schema\.allOf: .*more than one/],
  [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, /schema\.oneOf: .*use anyOf/],
  [{ oneOf: [any, any] }, /schema\.oneOf: /],
  [{ oneOf: Array.from({ length: 65 }, (_, i) => ({ const: i })) }, /schema\.oneOf: has more than 64/],
  [{ $ref: '#/$defs/gone' }, /schema\.\$ref: there is no #\/\$defs\/gone/],
  [{ $ref: 'https://example.com/a' }, /schema\.\$ref: there is no/],
  [{ $ref: '#' }, /\.\$ref: refers to itself/],
  [{ $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, /\$ref: refers to itself/],
  [{ type: 'object', required: ['a'], additionalProperties: false }, /schema\.required: a is no property/],
  [{ type: 'object', properties: { a: {} }, minProperties: 1 }, /schema\.minProperties: /],
  [{ type: 'object', properties: { a: {} }, maxProperties: 0 }, /schema\.maxProperties: /],
  [{ type: 'object', minProperties: 2 }, /schema\.minProperties: /],
  [{ type: 'array', minItems: 2, maxItems: 1 }, /schema\.minItems: is more than maxItems/],
  [{ type: 'array', items: [{}] }, /schema\.items: must be a schema/],
  [{ type: 'array', minItems: 3000 }, /schema\.minItems: may be 2000 at most/],
  [{ type: 'array', prefixItems: [{}], items: false, minItems: 2 }, /schema\.minItems: /],
  [{ properties: { a: 'text' } }, /schema\.properties\.a: must be a schema/],
]

/** Schemas that would cost a lot, or for ever. */
const hostile: readonly (readonly [what: string, schema: unknown])[] = [
  [
    'many properties',
    { type: 'object', properties: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`p${i}`, { type: 'null' }])) },
  ],
  ['many values', { enum: Array.from({ length: 100_000 }, (_, i) => i) }],
  ['deep', Array.from({ length: 5000 }).reduce<object>((items) => ({ type: 'array', items }), {})],
  [
    'long texts',
    {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}`, { type: 'string', minLength: 1000 + i }])),
    },
  ],
  ['a long text', { type: 'string', minLength: 1e9 }],
  ['a long list', { type: 'array', prefixItems: Array.from({ length: 50_000 }, () => ({ type: 'null' })) }],
  [
    'many references',
    { $ref: '#/$defs/d0', $defs: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}` }])) },
  ],
  [
    'ways that multiply',
    {
      $ref: '#/$defs/a',
      $defs: {
        a: {
          anyOf: [
            { type: 'array', items: { $ref: '#/$defs/a' } },
            { type: 'array', items: { $ref: '#/$defs/a' }, maxItems: 9 },
            { type: 'string' },
          ],
        },
      },
    },
  ],
  [
    'ways that multiply by references',
    {
      $ref: '#/$defs/d0',
      $defs: Object.fromEntries(
        Array.from({ length: 20 }, (_, i) => [
          `d${i}`,
          i === 19
            ? {}
            : {
                anyOf: [
                  { type: 'array', items: { $ref: `#/$defs/d${i + 1}` } },
                  { type: 'array', maxItems: 3, items: { $ref: `#/$defs/d${i + 1}` } },
                ],
              },
        ]),
      ),
    },
  ],
  ['many ways', { anyOf: Array.from({ length: 200 }, (_, i) => ({ type: 'string', maxLength: i })) }],
  [
    'much that may be left out',
    { type: 'object', properties: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`p${i}`, { type: 'null' }])) },
  ],
]

describe('llama.cpp grammar', () => {
  for (const [schema, refusal] of unheld)
    it(`refuses ${JSON.stringify(schema).slice(0, 90)}`, () => {
      const said = written(schema)
      assert.ok('refusal' in said, JSON.stringify(said))
      assert.match(said.refusal, refusal)
    })

  for (const [what, schema] of hostile)
    it(`refuses a schema that is too much: ${what}`, () => {
      const said = written(schema)
      assert.ok(
        'refusal' in said && /too large|deep|make more than|at most|too many/.test(said.refusal),
        JSON.stringify(said).slice(0, 200),
      )
    })

  it('writes whole numbers within limits, all of them and no other', () => {
    const limit = fc.option(fc.integer({ min: -1200, max: 1200 }), { nil: undefined })
    const keywords = fc.record({ minimum: limit, maximum: limit, exclusiveMinimum: limit, exclusiveMaximum: limit })
    fc.assert(
      fc.property(keywords, (given) => {
        const schema = { type: 'integer', ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
        const fits = fitting(schema)
        const said = written(schema)
        const regex = 'grammar' in said ? regexOf(said.grammar) : /(?!)/
        for (let value = -1300; value <= 1300; value++)
          assert.equal(regex.test(String(value)), fits(value), `${value} in ${JSON.stringify(schema)}`)
      }),
      { numRuns: repeats({ quick: 30, long: 1000 }) },
    )
  })

  it('writes numbers within limits, with what is behind the point', () => {
    const limit = fc.option(fc.integer({ min: -40, max: 40 }), { nil: undefined })
    const keywords = fc.record({ minimum: limit, maximum: limit, exclusiveMinimum: limit, exclusiveMaximum: limit })
    const tenths = fc.integer({ min: -450, max: 450 }).map((value) => value / 10)
    fc.assert(
      fc.property(keywords, fc.array(tenths, { minLength: 50 }), (given, values) => {
        const schema = { type: 'number', ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
        const fits = fitting(schema)
        const said = written(schema)
        const regex = 'grammar' in said ? regexOf(said.grammar) : /(?!)/
        for (const value of values) assert.equal(regex.test(String(value)), fits(value), `${value} in ${JSON.stringify(schema)}`)
      }),
      { numRuns: repeats({ quick: 30, long: 1000 }) },
    )
  })

  it('writes nothing that does not fit, whatever the schema; what it refuses it names', () => {
    fc.assert(
      fc.property(anySchema, fc.infiniteStream(fc.nat()), (schema, seeds) => {
        const said = written(schema)
        if ('refusal' in said) assert.match(said.refusal, /^response_format\.json_schema\.schema[^:]*: /)
        fc.pre('grammar' in said)
        const check = validator(schema)
        const [seed = 0] = seeds.take(1)
        for (const text of fc.sample(fc.stringMatching(regexOf(said.grammar), { size: 'small' }), { numRuns: 3, seed }))
          check(JSON.parse(text))
      }),
      { numRuns: repeats({ quick: 7, long: 350 }) },
    )
  })

  it('leaves out what may be left out, and keeps the order', () => {
    const said = written({ type: 'object', properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } }, required: ['b'] })
    const regex = regexOf('grammar' in said ? said.grammar : '')
    for (const text of ['{"b":2}', '{"a":1,"b":2}', '{"b":2,"c":3}', '{ "a": 1, "b": 2, "c": 3 }']) assert.match(text, regex)
    for (const text of ['{}', '{"a":1}', '{"b":2,"a":1}', '{"b":2,"d":4}', '{"b":2,}']) assert.doesNotMatch(text, regex)
  })

  it('holds one schema of several where they cannot both fit: by type, by value, by a property that tells', () => {
    const kind = (name: string): object => ({ type: 'object', properties: { kind: { const: name } }, required: ['kind'] })
    for (const oneOf of [
      [{ type: 'string' }, { type: 'null' }],
      [{ const: 1 }, { enum: [2, 3] }],
      [kind('a'), { $ref: '#/$defs/b' }],
    ])
      assert.ok('grammar' in written({ oneOf, $defs: { b: kind('b') } }), JSON.stringify(oneOf))
  })

  it('holds lists of texts as one, and whatever they have in common', () => {
    const texts = fc.uniqueArray(
      fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('a', 'ab', 'abc', 'é', 'éa', '🦢', '🦢a', 1, 12, 123, null, [1], { a: 1 })),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(texts, fc.string({ maxLength: 3 }), (values, other) => {
        const said = written({ enum: values })
        const regex = regexOf('grammar' in said ? said.grammar : '')
        for (const value of values) assert.match(JSON.stringify(value), regex)
        assert.equal(regex.test(JSON.stringify(other)), values.includes(other))
      }),
    )
  })

  it('holds a tree whose nodes tell at once what they are', () => {
    const node = (name: string, properties: object): object => ({
      type: 'object',
      properties: { kind: { const: name }, ...properties },
      required: ['kind', ...Object.keys(properties)],
    })
    const expression = { $ref: '#/$defs/expression' }
    const anyOf = [
      node('add', { left: expression, right: expression }),
      node('not', { of: expression }),
      node('literal', { value: { type: 'number' } }),
    ]
    assert.ok('grammar' in written({ ...expression, $defs: { expression: { anyOf } } }))
  })

  it('holds any object where no schema is given, and nothing where text is asked for', () => {
    const regex = regexOf(grammarOf({ type: 'json_object' }) ?? '', 2)
    for (const text of ['{}', '{"a":[1,"x",null]}', '{"a":{"b":true}}']) assert.match(text, regex)
    for (const text of ['[]', '1', 'text']) assert.doesNotMatch(text, regex)
    assert.deepEqual(
      [grammarOf({ type: 'text' }), grammarOf(undefined), objectionTo({ response_format: { type: 'text' } })],
      [undefined, undefined, undefined],
    )
  })

  it('objects to words of the assistant that have begun', () => {
    const messages = [
      { role: 'user' as const, content: 'a' },
      { role: 'assistant' as const, content: '{' },
    ]
    assert.equal(objectionTo({ messages, response_format: { type: 'json_object' } })?.field, 'response_format')
    assert.equal(objectionTo({ messages }), undefined)
    assert.equal(
      objectionTo({ messages: messages.slice(0, 1), response_format: formatFor({ not: {} }) })?.field,
      'response_format.json_schema.schema.not',
    )
  })
})
