import assert from 'node:assert/strict'
import { operationMap } from '../../scripts/codegen/api.ts'
import { bodyValidators, parameterValidators, validated } from '../../scripts/codegen/request-validators.ts'
import type { JsonObject } from '../../cli/contract/document.ts'

/** A contract of one operation. */
const contract = (fields: JsonObject, schemas: JsonObject = {}): JsonObject => ({
  info: { version: '1.0.0' },
  paths: { '/a': { get: { operationId: 'a', 'x-role': 'data', responses: { 204: {} }, ...fields } } },
  components: { schemas },
})
const parameter = (more: JsonObject): JsonObject => ({ parameters: [{ name: 'p', in: 'query', schema: { type: 'string' }, ...more }] })

describe('what is generated from a contract', () => {
  it('has a role for each operation', () => {
    assert.match(operationMap(contract({})), /a: \{"role":"data","method":"get","path":"\/a","statuses":\[204\],"body":false\}/)
    for (const role of ['admin', '']) assert.throws(() => operationMap(contract({ 'x-role': role })), /a: x-role must be data or control/)
  })

  it('has no parameter that nobody reads', () => {
    assert.ok(parameterValidators(validated(contract(parameter({})))).length > 0)
    for (const [wrong, why] of [
      [{ in: 'cookie' }, /is in the path, the query or a header/],
      [{ schema: 'none' }, /has a schema/],
      [{ schema: { type: 'array' } }, /is one value/],
      [{ schema: { type: 'object' } }, /is one value/],
    ] as const)
      assert.throws(() => parameterValidators(validated(contract(parameter(wrong)))), why)
  })

  it('has bodies that are required JSON, and defaults only where they are filled in', () => {
    const content = { 'application/json': { schema: { type: 'object' } } }
    assert.ok(bodyValidators(validated(contract({ requestBody: { required: true, content } }))).length > 0)
    for (const wrong of [{ content }, { required: true, content: { 'text/plain': {} } }])
      assert.throws(() => bodyValidators(validated(contract({ requestBody: wrong }))), /a: a body is required and application\/json/)
    assert.throws(() => validated(contract({}, { S: { type: 'string', default: 'a' } })), /S: a default belongs to the property/)
  })
})
