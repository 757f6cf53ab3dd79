import assert from 'node:assert/strict'
import type { Request, Response } from 'express'
import type { Handlers } from '../../src/handlers/handler.ts'
import { createDispatch } from '../../src/http/dispatch.ts'
import { operations, operationsAt } from '../../src/http/operations.ts'
import { FakeClock } from '../harness/fake-clock.ts'

const operationIds = [...operations.keys()]
const handlers = Object.fromEntries(operationIds.map((id) => [id, () => ({ status: 204 })])) as unknown as Handlers

describe('dispatch', () => {
  for (const id of operationIds)
    it(`does not start without a handler of ${id}`, () => {
      const given = { ...handlers, [id]: undefined } as unknown as Handlers
      assert.throws(
        () => createDispatch({ handlers: given, clock: new FakeClock(), body_bytes: 1, door_body_bytes: 1, file_bytes: 1 }),
        new RegExp(`^Error: ${id} has no handler$`),
      )
    })

  it('names each method of a path once where another was used', async () => {
    const dispatch = createDispatch({ handlers, clock: new FakeClock(), body_bytes: 1, door_body_bytes: 1, file_bytes: 1 })
    for (const path of new Set(Array.from(operations.values(), (operation) => operation.path.replaceAll(/\{[^}]+\}/g, 'a')))) {
      const methods = new Set(operationsAt(path).map(({ method }) => method.toUpperCase()))
      const asked = dispatch({ method: 'TRACE', path, headers: {} } as Request, {} as Response, () => undefined)
      await assert.rejects(Promise.resolve(asked), { kind: 'method_not_allowed', details: { allow: [...methods] } })
    }
  })
})
