import type { Request as ExpressRequest, RequestHandler, Response } from 'express'
import { OpenAPIBackend, type Context, type Document } from 'openapi-backend'
import { operations } from '../../generated/operations.ts'
import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import type { Handlers, HandlerRequest, OperationId } from '../handlers/handler.ts'
import { stateOf, type RequestState } from '../middleware/request-state.ts'
import type { Clock } from '../ports/clock.ts'
import { bodyParser } from './body.ts'
import { addFormats } from './formats.ts'
import { parseOnce, type Incoming } from './parse-once.ts'
import { sendStream } from './sse.ts'
import { firstProblem } from './validation-message.ts'

/** Bounds of the shell. */
export interface DispatchOptions {
  readonly definition: Document
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

type Send = (context: Context, req: ExpressRequest, res: Response) => Promise<void>

/**
 * Routes requests to handlers through openapi-backend: route, body, role, validation, handler, reply. Failures are passed on for the
 * error envelope.
 * @throws Error where the definition is not valid or a handler is missing
 */
export async function createDispatch(options: DispatchOptions): Promise<RequestHandler> {
  const { definition, handlers, clock, body_bytes } = options
  const parseBody = bodyParser(body_bytes)
  const send = Object.fromEntries((Object.keys(operations) as OperationId[]).map((id) => [id, sender(id, handlers, clock)]))
  const api = new OpenAPIBackend({
    definition: requestsOf(definition),
    strict: true,
    coerceTypes: true,
    // The whole definition is validated once; each of its schemas again would only take time.
    ajvOpts: { useDefaults: true, allErrors: false, strict: false, validateSchema: false },
    customizeAjv: addFormats,
    handlers: {
      ...send,
      postRoutingHandler: async (context: Context, req: ExpressRequest, res: Response, request: Incoming) => {
        // The library calls this also where no route was found, whatever its types say.
        const id = (context as Partial<Context>).operation?.operationId as OperationId | undefined
        if (id === undefined) return
        const { role, body } = operations[id]
        const state = stateOf(req)
        state.operationId = id
        if (body) {
          await parseBody(req, res)
          request.body = req.body as unknown
        }
        const { name, roles } = principalOf(state)
        if (!roles.includes(role)) throw new DomainError('forbidden', `${id} needs the role ${role}, which the key ${name} does not have.`)
      },
      notFound: () => {
        throw new DomainError('not_found', 'No such route; the contract lists them.')
      },
      methodNotAllowed: (context: Context) => {
        throw new DomainError('method_not_allowed', `${context.request.method.toUpperCase()} is not a method of this path.`, {
          allow: methodsOf(context.request.path),
        })
      },
      validationFail: (context: Context) => {
        throw new DomainError('invalid_params', firstProblem(context.validation.errors ?? []))
      },
      notImplemented: (context: Context) => {
        throw new Error(`${context.operation.operationId ?? 'the operation'} has no handler`)
      },
    },
  })
  await api.init()
  // The router builds this list anew for each look-up, several times a request.
  const list = api.router.getOperations()
  api.router.getOperations = () => list
  parseOnce(api.router)

  return (req, res, next) => {
    const { method, path } = req
    const query = req.url.includes('?') ? (req.query as Record<string, string | string[]>) : ''
    const headers = req.headers as Record<string, string | string[]>
    const request: Incoming = { method, path, query, headers, body: undefined, parsed: {} }
    api.handleRequest(request, req, res, request).catch(next)
  }
}

/**
 * What openapi-backend needs of the contract. Replies are held to it by types and tests; validators for them, which nobody calls, would take
 * most of the start. Who is asking is known before the route, so that the library has no security scheme to go through.
 */
function requestsOf(definition: Document): Document {
  const bare = structuredClone(definition)
  delete bare.security
  for (const item of Object.values(bare.paths ?? {}))
    for (const part of Object.values(item ?? {}))
      if (typeof part === 'object' && 'responses' in part) {
        part.responses = { default: { description: 'See the contract.' } }
        delete part.security
      }
  return bare
}

function principalOf({ principal }: RequestState): Principal {
  if (principal === undefined) throw new Error('authenticate has to run before dispatch')
  return principal
}

/** What openapi-backend hands over after validation, without its `any`. */
type Validated = Pick<HandlerRequest<OperationId>, 'params' | 'query' | 'headers'> & { readonly requestBody: unknown }

function sender(id: OperationId, handlers: Handlers, clock: Clock): Send {
  // One type for all handlers: the contract decides which request a handler gets, and it has been checked when this runs.
  const handler = handlers[id] as (request: HandlerRequest<OperationId>) => AnyReply | Promise<AnyReply>
  return async (context, req, res) => {
    const { params, query, headers, requestBody } = context.request as Validated
    const state = stateOf(req)
    const given = { params, query, headers, body: requestBody, principal: principalOf(state), correlation_id: state.correlation_id }
    const reply = await handler(given)
    if (res.destroyed) {
      reply.stream?.close()
      return
    }
    for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value)
    if (reply.stream !== undefined) {
      sendStream(res, reply.stream, clock)
      return
    }
    res.statusCode = reply.status
    if (reply.body === undefined) {
      res.end()
      return
    }
    res.setHeader('Content-Type', 'application/json; charset=utf-8')
    res.end(JSON.stringify(reply.body))
  }
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
