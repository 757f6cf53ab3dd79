import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import formats, { type FormatsPlugin } from 'ajv-formats'
import fc, { type Arbitrary } from 'fast-check'
import { OpenAPIBackend, type Document } from 'openapi-backend'
import { operations } from '../../generated/operations.ts'
import { DomainError } from '../../src/domain/errors.ts'
import { requestCheck, type RequestParts } from '../../src/http/check-request.ts'
import { firstProblem } from '../../src/http/validation-message.ts'
import { bodyOf, operationIds, parametersOf, type OperationId, type Parameter } from '../harness/contract.ts'
import { brokenOf, valueOf } from '../harness/schema-arbitrary.ts'

type Ajv = Parameters<FormatsPlugin>[0]
const addFormats = (ajv: Ajv): Ajv => (formats as unknown as FormatsPlugin)(ajv)

/** What becomes of a request: the first thing that is wrong with it, or what a handler is given. */
type Outcome = string | { readonly query: unknown; readonly path: unknown; readonly body: unknown }

/** A request as text and JSON have it. */
interface Given {
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Partial<Record<string, string | string[]>>>
  readonly header: Readonly<Partial<Record<string, string>>>
  readonly body: unknown
}

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** Not such as `1e1`: the library takes what JavaScript takes for an integer, we take digits. */
const isSpelled = (text: string): boolean => /^[0-9]{1,16}$/.test(text) || !Number.isInteger(Number(text)) || text === ''

const sent = ({ schema }: Parameter, value: Arbitrary<unknown>): Arbitrary<string> =>
  value.map(String).filter((text) => schema.type !== 'integer' || isSpelled(text))

/** What is sent of a parameter: right or wrong. */
const textOf = (one: Parameter): Arbitrary<string> => sent(one, fc.oneof(valueOf(one.schema), brokenOf(one.schema)))

function requestOf(op: OperationId): Arbitrary<Given> {
  const named = (place: Parameter['in']): Parameter[] => parametersOf(op).filter((parameter) => parameter.in === place)
  const part = <T>(place: Parameter['in'], of: (parameter: Parameter) => Arbitrary<T>): Arbitrary<Partial<Record<string, T>>> =>
    fc.record(Object.fromEntries(named(place).map((one) => [place === 'header' ? one.name.toLowerCase() : one.name, of(one)])), {
      requiredKeys: [],
    })
  const query = part<string | string[]>('query', (one) => fc.oneof({ weight: 4, arbitrary: textOf(one) }, fc.array(textOf(one))))
  const body = bodyOf(op)
  return fc.record({
    path: fc.record(
      Object.fromEntries(
        named('path').map((one) => [
          one.name,
          textOf(one)
            .map((text) => text.replaceAll('/', '_'))
            .filter((text) => text.isWellFormed() && text.trim() === text && text !== ''),
        ]),
      ),
    ),
    query: fc.oneof(
      { weight: 4, arbitrary: query },
      // Of many there is hardly a request in which none is wrong.
      part('query', (one) => sent(one, valueOf(one.schema))),
      query.map((some) => ({ ...some, strange: '1' })),
    ),
    header: part('header', textOf),
    body:
      body === undefined
        ? fc.constant(undefined)
        : fc.oneof(
            valueOf(body.schema),
            brokenOf(body.schema).filter((one) => typeof one === 'object'),
          ),
  })
}

describe('the generated validators', () => {
  const api = new OpenAPIBackend({
    definition: JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8')) as Document,
    coerceTypes: true,
    ajvOpts: { useDefaults: true, allErrors: false, strict: false },
    customizeAjv: addFormats,
  })
  before(() => api.init())

  /** What openapi-backend makes of a request with validators that it compiles itself. */
  function compiled(op: OperationId, given: Given): Outcome {
    const { method, path: template } = operations[op]
    const path = template.replace('{id}', encodeURIComponent(given.path['id'] ?? ''))
    const request = {
      method,
      path,
      query: plain(given.query) as Record<string, string>,
      headers: plain(given.header) as Record<string, string>,
      body: given.body === undefined ? undefined : plain(given.body),
    }
    const { errors, coerced } = api.validateRequest(request, op) as {
      errors: Parameters<typeof firstProblem>[0] | null
      coerced: { query: unknown; params: unknown }
    }
    return errors === null ? { query: coerced.query, path: coerced.params, body: request.body } : firstProblem(errors)
  }

  function generated(op: OperationId, given: Given): Outcome {
    const parts: RequestParts = {
      path: { ...given.path },
      query: plain(given.query),
      header: plain(given.header),
      body: given.body === undefined ? undefined : plain(given.body),
    }
    try {
      requestCheck(op)(parts)
    } catch (error) {
      if (error instanceof DomainError) return error.message
      throw error
    }
    return { query: parts.query, path: parts.path, body: parts.body }
  }

  for (const op of operationIds)
    it(`say of ${op} what those say that are compiled from the contract`, () => {
      const seen = new Set<string>()
      fc.assert(
        fc.property(requestOf(op), (given) => {
          const expected = compiled(op, given)
          seen.add(typeof expected)
          assert.deepEqual(generated(op, given), expected)
        }),
        { numRuns: 200 },
      )
      assert.ok(seen.has('object'), 'no request was right')
    })
})
