import type { Document } from 'openapi-backend'
// The package's main file also loads what compiles validators and mocks answers: 6 MiB.
import { OpenAPIRouter } from 'openapi-backend/router.js'
import { DomainError } from '../domain/errors.ts'
import type { OperationId } from '../handlers/handler.ts'
import { misledPath, operations, operationsAt, type Operation } from './operations.ts'

/** The operation of a request, and the parameters of its path. */
export interface Route {
  readonly id: OperationId
  readonly params: Readonly<Record<string, string>>
}

/** What a route depends on. */
export interface Routed {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** An answer of the router: the operation, and which segments of the path are parameters. */
interface Found {
  readonly id: OperationId
  readonly names: readonly (readonly [index: number, name: string])[]
}

const noParams = {}

/** What paths of the contracts say literally. */
const literals = new Set(Array.from(operations.values(), ({ path }) => path.split('/')).flat())

/** A segment that means itself: it need not be decoded. */
const plain = /^[\w.~:-]+$/

/**
 * Finds operations by openapi-backend's router. What it says of a path holds for every path of the same form, and is kept: a look-up of the library
 * makes a pattern for each path that can be meant, and takes the found one apart. Where many cancel at once that was a fifth of the time.
 */
export class Routes {
  private readonly routers = routersByShape()
  private readonly variants = [...operations].filter(([, { when }]) => when !== undefined)
  private readonly known = new Map<string, Found>()

  /**
   * @throws DomainError not_found, method_not_allowed
   * @throws URIError where a parameter cannot be decoded
   */
  find(request: Routed): Route {
    const segments = request.path.split('/')
    const form = formOf(segments)
    const found = form === undefined ? undefined : this.known.get(`${request.method} ${form}`)
    return found === undefined ? this.ask(request, segments, form) : { id: found.id, params: paramsOf(found, segments) }
  }

  private ask({ method, path, headers }: Routed, segments: readonly string[], form: string | undefined): Route {
    const request = { method, path, query: '', headers: {} }
    const router = this.routers.get(shapeOf(path))
    const operation = router?.matchOperation(request)
    if (router === undefined || operation === undefined) throw unrouted(request)
    const others = this.variants.filter(([, one]) => one.path === operation.path && one.method === operation.method.toLowerCase())
    const variant = others.find(([, { when = '' }]) => headers[when] !== undefined)
    const id = variant?.[0] ?? (operation.operationId as OperationId)
    const template = operation.path.split('/')
    if (form !== undefined && others.length === 0 && template.length === segments.length)
      this.known.set(`${method} ${form}`, { id, names: namesOf(template) })
    return { id, params: operation.path.includes('{') ? (router.parseRequest(request, operation).params as Route['params']) : noParams }
  }
}

/** The segments that the contracts know, and where others are: what the router's answer depends on. Undefined where a segment has to be decoded. */
function formOf(segments: readonly string[]): string | undefined {
  let form = ''
  for (const segment of segments) {
    if (literals.has(segment)) form += `/${segment}`
    else if (plain.test(segment)) form += '/*'
    else return undefined
  }
  return form
}

const namesOf = (template: readonly string[]): Found['names'] =>
  template.flatMap((segment, index) => (segment.startsWith('{') ? [[index, segment.slice(1, -1)] as const] : []))

function paramsOf({ names }: Found, segments: readonly string[]): Route['params'] {
  if (names.length === 0) return noParams
  const params: Record<string, string> = {}
  for (const [index, name] of names) params[name] = segments[index] ?? ''
  return params
}

/** Why a request has no operation. */
function unrouted({ method, path }: { readonly method: string; readonly path: string }): DomainError {
  const allow = [...new Set(operationsAt(path).map((operation) => operation.method.toUpperCase()))]
  if (allow.length === 0) {
    const misled = misledPath(path)
    const hint = misled === undefined ? 'the contract lists them' : `${misled.mistake}, for there is ${misled.meant}`
    return new DomainError('not_found', `No such route; ${hint}.`, { absent: 'route' })
  }
  return new DomainError('method_not_allowed', `${method} is not a method of this path.`, { allow })
}

interface Item {
  [method: string]: { operationId: string; responses: object }
}

/**
 * A router of openapi-backend for each shape of a path, by `shapeOf`. A look-up of the library builds its list of operations anew, and a pattern for
 * each path of it: so each router knows the few that can be meant, listed once.
 */
export function routersByShape(): Map<string, OpenAPIRouter> {
  const shapes = Map.groupBy(operations, ([, { path }]) => shapeOf(path))
  return new Map(Array.from(shapes, ([shape, those]) => [shape, routerOf(those)]))
}

/** How many segments a path has, and the second of them, which no operation has as a parameter. Slashes at the end count for nothing. */
export function shapeOf(path: string): string {
  const segments = path.split('/')
  while (segments.length > 2 && segments.at(-1) === '') segments.pop()
  return `${segments.length} ${segments[2] ?? ''}`
}

/** Requests are checked by generated validators, replies by types and tests: the router gets nothing of them. */
function routerOf(those: readonly (readonly [OperationId, Operation])[]): OpenAPIRouter {
  const paths: Record<string, Item> = {}
  for (const [operationId, { method, path, when }] of those)
    if (when === undefined) (paths[path] ??= {})[method] = { operationId, responses: {} }
  const definition: Document = { openapi: '3.0.3', info: { title: 'routes', version: '0' }, paths }
  const router = new OpenAPIRouter({ definition })
  const list = router.getOperations()
  router.getOperations = () => list
  return router
}
