import type { Request as ExpressRequest, RequestHandler, Response } from 'express'
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
import { operations } from './operations.ts'
import { Routes } from './routes.ts'
import { shapes } from './shapes.ts'
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
type Operate = (params: Params, req: ExpressRequest, res: Response) => Promise<void>

/**
 * Routes requests to handlers: route, body, role, validation, handler, reply. Failures are passed on for the error envelope.
 * @throws Error where a handler or a validator is missing
 */
export function createDispatch(options: DispatchOptions): RequestHandler {
  const bodies = new LargeBodies()
  const operate = new Map(Array.from(operations.keys(), (id) => [id, operationOf(id, options, bodies)]))
  const routes = new Routes()
  return async (req, res) => {
    const { id, params } = routes.find(req)
    const handle = operate.get(id)
    if (handle === undefined) throw new Error(`${id} has no handler`)
    await handle(params as Params, req, res)
  }
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
  const { request_id } = shapes[door]
  let check: RequestCheck | undefined = isNative(id) ? requestCheck(id) : undefined
  const parseBody = door === 'native' ? bodyParser('body_bytes', body_bytes) : bodyParser('door_body_bytes', door_body_bytes)
  return async (params, req, res) => {
    const state = stateOf(req)
    state.operationId = id
    if (request_id !== undefined) res.setHeader(request_id, state.correlation_id)
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
