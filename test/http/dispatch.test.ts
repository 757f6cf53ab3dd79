import assert from 'node:assert/strict'
import { OpenAPIRouter } from 'openapi-backend/router.js'
import type { Handlers } from '../../src/handlers/handler.ts'
import { createDispatch, listOnce, routes } from '../../src/http/dispatch.ts'
import { operations } from '../../src/http/operations.ts'
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

  // Where this fails after an upgrade of openapi-backend, look whether listOnce is still needed, and how it is done now.
  it('replaces what openapi-backend asks for the list of operations at each look-up', () => {
    const router = new OpenAPIRouter({ definition: routes() })
    const list = router.getOperations.bind(router)
    let built = 0
    router.getOperations = () => {
      built++
      return list()
    }
    const find = (): string | undefined =>
      router.matchOperation({ method: 'GET', path: '/v1/tasks/a', query: '', headers: {} })?.operationId
    assert.equal(find(), 'getTask')
    assert.equal(built, 2)
    listOnce(router)
    assert.equal(built, 3)
    assert.equal(find(), 'getTask')
    assert.equal(built, 3)
  })
})
