import type { Document, OpenAPIRouter } from 'openapi-backend'
import { operations } from '../../generated/operations.ts'

interface Item {
  [method: string]: { operationId: string; responses: object }
}

/** What openapi-backend needs of the contract to route: requests are checked by generated validators, replies by types and tests. */
export function routes(): Document {
  const paths: Record<string, Item> = {}
  for (const [operationId, { method, path }] of Object.entries(operations)) (paths[path] ??= {})[method] = { operationId, responses: {} }
  return { openapi: '3.0.3', info: { title: 'routes', version: '0' }, paths }
}

/** Has the router build its list of operations once. By itself it does so for each look-up, twice a request with a path parameter. */
export function listOnce(router: OpenAPIRouter): void {
  const list = router.getOperations()
  router.getOperations = () => list
}
