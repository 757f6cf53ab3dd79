import type { Request as ExpressRequest, RequestHandler, Response } from 'express'
import { OpenAPIBackend, type Context } from 'openapi-backend'
import { operations } from '../../generated/operations.ts'
import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import type { Handlers, HandlerRequest, OperationId } from '../handlers/handler.ts'
import { stateOf, type RequestState } from '../middleware/request-state.ts'
import type { Clock } from '../ports/clock.ts'
import { bodyParser } from './body.ts'
import { requestCheck } from './check-request.ts'
import { listOnce, routes } from './routes.ts'
import { sendStream } from './sse.ts'

/** Bounds of the shell. */
export interface DispatchOptions {
  readonly handlers: Handlers
  readonly clock: Clock
  /** Largest request body, bytes. */
  readonly body_bytes: number
}

/** The part of a reply every operation's reply type is made of. */
interface AnyReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly stream?: Parameters<typeof sendStream>[1]
}

type Operate = (context: Context, req: ExpressRequest, res: Response) => Promise<void>

/**
 * Routes requests to handlers through openapi-backend: route, body, role, validation, handler, reply. The library finds the operation and the
 * path's parameters; the rest of a request it does not see. Failures are passed on for the error envelope.
 * @throws Error where a handler or a validator is missing
 */
export async function createDispatch(options: DispatchOptions): Promise<RequestHandler> {
  const ids = Object.keys(operations) as OperationId[]
  const api = new OpenAPIBackend({
    definition: routes(),
    // The definition is ours and has no references: there is nothing to check or to resolve.
    quick: true,
    strict: true,
    validate: false,
    handlers: {
      ...Object.fromEntries(ids.map((id) => [id, operate(id, options)])),
      notFound: () => {
        throw new DomainError('not_found', 'No such route; the contract lists them.')
      },
      methodNotAllowed: (context: Context) => {
        throw new DomainError('method_not_allowed', `${context.request.method.toUpperCase()} is not a method of this path.`, {
          allow: methodsOf(context.request.path),
        })
      },
    },
  })
  await api.init()
  listOnce(api.router)
  return (req, res, next) => {
    api.handleRequest({ method: req.method, path: req.path, query: '', headers: {} }, req, res).catch(next)
  }
}

function principalOf({ principal }: RequestState): Principal {
  if (principal === undefined) throw new Error('authenticate has to run before dispatch')
  return principal
}

/** Everything that happens to a request once its operation is known. Nothing calls a handler but this, and only with a request that was checked. */
function operate(id: OperationId, { handlers, clock, body_bytes }: DispatchOptions): Operate {
  // One type for all handlers: the contract decides which request a handler gets, and it has been checked when this runs.
  const handler = handlers[id] as ((request: HandlerRequest<OperationId>) => AnyReply | Promise<AnyReply>) | undefined
  if (handler === undefined) throw new Error(`${id} has no handler`)
  const check = requestCheck(id)
  const { role, body: takesBody } = operations[id]
  const parseBody = bodyParser(body_bytes)
  return async (context, req, res) => {
    const state = stateOf(req)
    state.operationId = id
    if (takesBody) await parseBody(req, res)
    const principal = principalOf(state)
    if (!principal.roles.includes(role))
      throw new DomainError('forbidden', `${id} needs the role ${role}, which the key ${principal.name} does not have.`)
    const params = context.request.params as HandlerRequest<OperationId>['params']
    const query: object = req.url.includes('?') ? req.query : {}
    const headers = { ...req.headers } as HandlerRequest<OperationId>['headers']
    const body: unknown = takesBody ? req.body : undefined
    check({ path: params, query, header: headers, body })
    reply(await handler({ params, query, headers, body, principal, correlation_id: state.correlation_id }), res, clock)
  }
}

function reply({ status, body, headers = {}, stream }: AnyReply, res: Response, clock: Clock): void {
  if (res.destroyed) {
    stream?.close()
    return
  }
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  if (stream !== undefined) {
    sendStream(res, stream, clock)
    return
  }
  res.statusCode = status
  if (body === undefined) {
    res.end()
    return
  }
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.end(JSON.stringify(body))
}

/** Methods of the path, for `Allow`. */
function methodsOf(path: string): string[] {
  const plain = path.length > 1 ? path.replace(/\/+$/, '') : path
  const matches = (template: string): boolean => {
    const parts = template.split('/')
    const given = plain.split('/')
    return parts.length === given.length && parts.every((part, i) => part.startsWith('{') || part === given[i])
  }
  return Object.values(operations).flatMap((operation) => (matches(operation.path) ? [operation.method.toUpperCase()] : []))
}
