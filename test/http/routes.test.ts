import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DomainError } from '../../src/domain/errors.ts'
import { operations } from '../../src/http/operations.ts'
import { Routes, routersByShape, shapeOf, type Routed } from '../../src/http/routes.ts'

/** The route, or why there is none. */
function routed(routes: Routes, request: Routed): object {
  try {
    const { id, params } = routes.find(request)
    return { id, params: { ...params } }
  } catch (error) {
    if (error instanceof DomainError) return { kind: error.kind, details: error.details }
    // What the envelope answers with a 400.
    assert.ok(error instanceof URIError)
    return { kind: error.name }
  }
}

const templates = [...new Set(Array.from(operations.values(), ({ path }) => path))]
const words = [...new Set(templates.flatMap((path) => path.split('/').filter((segment) => !segment.startsWith('{'))))]
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[\w.~:-]{1,12}$/) },
  { weight: 2, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.constantFrom('a%2Fb', '%', '{id}', '*', 'a b', 'ü', '__proto__', 'a;b', '..') },
)
const ofContract = fc
  .tuple(fc.constantFrom(...templates), fc.array(segment, { minLength: 4, maxLength: 4 }), fc.constantFrom('', '', '', '/', '//', '/x'))
  .map(([template, given, end]) => {
    let next = 0
    return `${template.replaceAll(/\{[^}]+\}/g, () => given[next++] ?? 'a')}${end}`
  })
const anyPath = fc.array(segment, { maxLength: 5 }).map((all) => ['', ...all].join('/'))
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
  path: fc.oneof({ weight: 5, arbitrary: ofContract }, { weight: 1, arbitrary: anyPath }),
  headers: fc.constantFrom({}, { 'anthropic-version': '2023-06-01' }),
})

describe('routes', () => {
  it('are what the router says of each path, whatever was asked before', () => {
    const routes = new Routes()
    let found = 0
    fc.assert(
      fc.property(fc.array(request, { minLength: 20, maxLength: 20 }), (requests) => {
        for (const one of requests) {
          const said = routed(new Routes(), one)
          assert.deepEqual(routed(routes, one), said)
          assert.deepEqual(routed(routes, one), said)
          if ('id' in said) found++
        }
      }),
      { numRuns: 40 },
    )
    assert.ok(found > 100, `${found} of 800 paths led somewhere`)
  })

  it('have their parameters as they were sent, decoded', () => {
    const routes = new Routes()
    for (const id of ['a', 'b', 'stream', 'a%2Fb', 'c', 'a%20b'])
      assert.deepEqual(routed(routes, { method: 'POST', path: `/v1/tasks/${id}/cancel`, headers: {} }), {
        id: 'cancelTask',
        params: { id: decodeURIComponent(id) },
      })
  })

  it('are found for every operation by the router of its shape alone', () => {
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
  it('replace what openapi-backend asks for its list of operations', () => {
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
})
