import assert from 'node:assert/strict'
import type { Request, Response } from 'express'
import type { Handlers } from '../../src/handlers/handler.ts'
import { createDispatch, routersByShape, shapeOf } from '../../src/http/dispatch.ts'
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

  it('finds every operation by the router of its shape alone', () => {
    const routers = routersByShape()
    for (const [id, { method, path, when }] of operations) {
      assert.doesNotMatch(path.split('/')[2] ?? '', /[{}]/)
      for (const slashes of ['', '/', '//']) {
        const asked = path.replaceAll(/\{[^}]+\}/g, 'a%2Fb') + slashes
        const found = routers.get(shapeOf(asked))?.matchOperation({ method, path: asked, query: '', headers: {} })
        assert.equal(found?.path, path)
        if (when === undefined) assert.equal(found.operationId, id)
      }
    }
  })

  // Where this fails after an upgrade of openapi-backend, look whether lists are still built at each look-up, and how that is done now.
  it('replaces what openapi-backend asks for its list of operations', () => {
    const router = routersByShape().get(shapeOf('/v1/tasks/a/cancel'))
    assert(router !== undefined)
    let asked = 0
    const list = router.getOperations()
    router.getOperations = () => {
      asked++
      return list
    }
    assert.equal(router.matchOperation({ method: 'POST', path: '/v1/tasks/a/cancel', query: '', headers: {} })?.operationId, 'cancelTask')
    assert.equal(asked, 2)
    assert.equal(list.length, 2)
    const own = routersByShape().get(shapeOf('/v1/tasks'))
    assert.equal(own?.getOperations(), own?.getOperations())
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
