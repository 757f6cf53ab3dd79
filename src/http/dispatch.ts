import type { Request as ExpressRequest, RequestHandler, Response } from 'express'
import type { Document } from 'openapi-backend'
// The package's main file also loads what compiles validators and mocks answers: 6 MiB.
import { OpenAPIRouter } from 'openapi-backend/router.js'
import type { doorOperations } from '../../generated/doors.ts'
import { operations as nativeOperations } from '../../generated/operations.ts'
import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import type { Handlers, HandlerRequest, OperationId } from '../handlers/handler.ts'
import { stateOf, type RequestState } from '../middleware/request-state.ts'
import type { Clock } from '../ports/clock.ts'
import { bodyParser } from './body.ts'
import { doorRequestCheck, requestCheck, type RequestCheck } from './check-request.ts'
import { sendComing } from './coming.ts'
import { sendContent } from './content.ts'
import { LargeBodies } from './large-body.ts'
import { operations, operationsAt, type Operation } from './operations.ts'
import { sendStream } from './sse.ts'
import { uploadOf } from './upload.ts'

/** Bounds of the shell. */
export interface DispatchOptions {
  readonly handlers: Handlers
  readonly clock: Clock
  /** Largest request body, bytes. */
  readonly body_bytes: number
  /** The same at the doors of other APIs: conversations with images are large. */
  readonly door_body_bytes: number
  /** Largest file of an upload, bytes. */
  readonly file_bytes: number
}

/** The part of a reply every operation's reply type is made of. */
interface AnyReply {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly stream?: Parameters<typeof sendStream>[1]
  readonly coming?: Parameters<typeof sendComing>[1]
  readonly content?: AsyncIterable<string>
}

type Params = HandlerRequest<OperationId>['params']
const noParams = {} as Params
type Operate = (params: Params, req: ExpressRequest, res: Response) => Promise<void>

/**
 * Routes requests to handlers by openapi-backend's router: route, body, role, validation, handler, reply. The library finds the operation and the
 * path's parameters; the rest of a request it does not see. Failures are passed on for the error envelope.
 * @throws Error where a handler or a validator is missing
 */
export function createDispatch(options: DispatchOptions): RequestHandler {
  const bodies = new LargeBodies()
  const operate = new Map(Array.from(operations.keys(), (id) => [id as string, operationOf(id, options, bodies)]))
  const variants = [...operations].filter(([, { when }]) => when !== undefined)
  const routers = routersByShape()
  /** What the router has said of paths that are an operation's own, by method and path. */
  const known = new Map<string, Operate>()
  return async (req, res) => {
    const { method, path } = req
    const place = `${method} ${path}`
    const same = known.get(place)
    if (same !== undefined) return same(noParams, req, res)
    const request = { method, path, query: '', headers: {} }
    const router = routers.get(shapeOf(path))
    const operation = router?.matchOperation(request)
    if (router === undefined || operation === undefined) throw unrouted(request)
    const { operationId = '' } = operation
    const others = variants.filter(([, one]) => one.path === operation.path && one.method === operation.method.toLowerCase())
    const variant = others.find(([, { when = '' }]) => req.headers[when] !== undefined)
    const handle = operate.get(variant?.[0] ?? operationId)
    if (handle === undefined) throw new Error(`${operationId} has no handler`)
    // A path without parameters has nothing to be parsed for, and leads to the same operation whenever it comes.
    if (path === operation.path && !path.includes('{') && others.length === 0) known.set(place, handle)
    const params = operation.path.includes('{') ? (router.parseRequest(request, operation).params as Params) : noParams
    await handle(params, req, res)
  }
}

/** Why a request has no operation. */
function unrouted({ method, path }: { readonly method: string; readonly path: string }): DomainError {
  const allow = [...new Set(operationsAt(path).map((operation) => operation.method.toUpperCase()))]
  if (allow.length === 0) return new DomainError('not_found', 'No such route; the contract lists them.', { absent: 'route' })
  return new DomainError('method_not_allowed', `${method} is not a method of this path.`, { allow })
}

function principalOf({ principal }: RequestState): Principal {
  if (principal === undefined) throw new Error('authenticate has to run before dispatch')
  return principal
}

/** Everything that happens to a request once its operation is known. Nothing calls a handler but this, and only with a request that was checked. */
function operationOf(
  id: OperationId,
  { handlers, clock, body_bytes, door_body_bytes, file_bytes }: DispatchOptions,
  bodies: LargeBodies,
): Operate {
  // One type for all handlers: the contract decides which request a handler gets, and it has been checked when this runs.
  const handler = handlers[id] as ((request: HandlerRequest<OperationId>) => AnyReply | Promise<AnyReply>) | undefined
  if (handler === undefined) throw new Error(`${id} has no handler`)
  const operation = operations.get(id)
  if (operation === undefined) throw new Error(`${id} is in no contract`)
  const { role, body: takesBody, upload = false, door } = operation
  let check: RequestCheck | undefined = isNative(id) ? requestCheck(id) : undefined
  const parseBody = door === 'native' ? bodyParser('body_bytes', body_bytes) : bodyParser('door_body_bytes', door_body_bytes)
  return async (params, req, res) => {
    const state = stateOf(req)
    state.operationId = id
    if (takesBody) await parseBody(req, res)
    const principal = principalOf(state)
    if (!principal.roles.includes(role))
      throw new DomainError('forbidden', `${id} needs the role ${role}, which the key ${principal.name} does not have.`)
    const query: object = req.url.includes('?') ? req.query : {}
    const headers = givenHeaders(req)
    const body: unknown = takesBody ? req.body : upload ? uploadOf(req, principal.name, 'limits.file_bytes', file_bytes) : undefined
    check ??= await doorRequestCheck(id as keyof typeof doorOperations)
    check({ path: params, query, header: headers, body })
    await reply(await handler({ params, query, headers, body, principal, correlation_id: state.correlation_id }), res, {
      ...{ clock, bodies, key: principal.name },
    })
  }
}

/** The headers of a request but those without a value: who sends one says nothing. */
function givenHeaders({ headers }: ExpressRequest): HandlerRequest<OperationId>['headers'] {
  const given: Record<string, string | string[] | undefined> = {}
  for (const name in headers) if (headers[name] !== '') given[name] = headers[name]
  return given as HandlerRequest<OperationId>['headers']
}

const isNative = (id: OperationId): id is keyof typeof nativeOperations => id in nativeOperations

async function reply(
  { status, body, headers = {}, stream, coming, content }: AnyReply,
  res: Response,
  { clock, bodies, key }: { readonly clock: Clock; readonly bodies: LargeBodies; readonly key: string },
): Promise<void> {
  if (res.destroyed) {
    stream?.close()
    coming?.close()
    return
  }
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  if (stream !== undefined) return sendStream(res, stream, clock)
  if (coming !== undefined) return sendComing(res, coming, clock, (text) => bodies.send(res, text, key))
  if (content !== undefined) return sendContent(res, content)
  res.statusCode = status
  if (body === undefined) {
    res.end()
    return
  }
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  bodies.sendJson(res, body, key)
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
