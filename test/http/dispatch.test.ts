import assert from 'node:assert/strict'
import { OpenAPIBackend } from 'openapi-backend'
import type { Handlers } from '../../src/handlers/handler.ts'
import { createDispatch } from '../../src/http/dispatch.ts'
import { listOnce, routes } from '../../src/http/routes.ts'
import { operationIds } from '../harness/contract.ts'
import { FakeClock } from '../harness/fake-clock.ts'

const handlers = Object.fromEntries(operationIds.map((id) => [id, () => ({ status: 204 })])) as unknown as Handlers

describe('dispatch', () => {
  for (const id of operationIds)
    it(`does not start without a handler of ${id}`, async () => {
      const given = { ...handlers, [id]: undefined } as unknown as Handlers
      await assert.rejects(
        createDispatch({ handlers: given, clock: new FakeClock(), body_bytes: 1 }),
        new RegExp(`^Error: ${id} has no handler$`),
      )
    })

  // Where this fails after an upgrade of openapi-backend, look whether listOnce is still needed, and how it is done now.
  it('replaces what openapi-backend asks for the list of operations at each look-up', async () => {
    const api = new OpenAPIBackend({
      definition: routes(),
      quick: true,
      strict: true,
      validate: false,
      handlers: { getTask: () => 'answer' },
    })
    await api.init()
    const { router } = api
    const list = router.getOperations.bind(router)
    let built = 0
    router.getOperations = () => {
      built++
      return list()
    }
    const ask = (): Promise<unknown> =>
      api.handleRequest({ method: 'GET', path: '/v1/tasks/a', query: '', headers: {} }) as Promise<unknown>
    assert.equal(await ask(), 'answer')
    assert.equal(built, 2)
    listOnce(router)
    assert.equal(built, 3)
    assert.equal(await ask(), 'answer')
    assert.equal(built, 3)
  })
})
