import type { Request as ExpressRequest, RequestHandler, Response } from 'express'
import { OpenAPIBackend, type Context, type Document } from 'openapi-backend'
import { operations } from '../../generated/operations.ts'
import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import type { Handlers, HandlerRequest, OperationId } from '../handlers/handler.ts'
import { stateOf } from '../middleware/request-state.ts'
import type { Clock } from '../ports/clock.ts'
import { bodyParser } from './body.ts'
import { addFormats } from './formats.ts'
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
    definition: withoutResponses(definition),
    strict: true,
    coerceTypes: true,
    // The whole definition is validated once; each of its schemas again would only take time.
    ajvOpts: { useDefaults: true, allErrors: false, strict: false, validateSchema: false },
    customizeAjv: addFormats,
    handlers: {
      ...send,
      postRoutingHandler: async (context: Context, req: ExpressRequest, res: Response) => {
        // The library calls this also where no route was found, whatever its types say.
        const { operation } = context as Partial<Context>
        const id = operation?.operationId
        if (id === undefined) return
        stateOf(req).operationId = id
        if (operations[id as OperationId].body) await parseBody(req, res)
      },
      notFound: () => {
        throw new DomainError('not_found', 'No such route; the contract lists them.')
      },
      methodNotAllowed: (context: Context) => {
        throw new DomainError('method_not_allowed', `${context.request.method.toUpperCase()} is not a method of this path.`, { allow: methodsOf(context.request.path) })
      },
      unauthorizedHandler: (context: Context, req: ExpressRequest) => {
        const id = context.operation.operationId as OperationId
        throw new DomainError('forbidden', `${id} needs the role ${operations[id].role}, which the key ${principalOf(req).name} does not have.`)
      },
      validationFail: (context: Context) => {
        throw new DomainError('invalid_params', firstProblem(context.validation.errors ?? []))
      },
      notImplemented: (context: Context) => {
        throw new Error(`${context.operation.operationId ?? 'the operation'} has no handler`)
      },
    },
    securityHandlers: { ApiKey: hasRole, Bearer: hasRole },
  })
  await api.init()
  // The router builds this list anew for each look-up, several times a request.
  const list = api.router.getOperations()
  api.router.getOperations = () => list

  return (req, res, next) => {
    const { method, path } = req
    const query = req.query as Record<string, string | string[]>
    const headers = req.headers as Record<string, string | string[]>
    // The body is parsed after routing, so it has to be read when it is needed.
    const request = {
      method,
      path,
      query,
      headers,
      get body() {
        return req.body as unknown
      },
    }
    api.handleRequest(request, req, res).catch(next)
  }
}

/** Replies are held to the contract by types and tests; validators for them, which nobody calls, would take most of the start. */
function withoutResponses(definition: Document): Document {
  const bare = structuredClone(definition)
  for (const item of Object.values(bare.paths ?? {}))
    for (const part of Object.values(item ?? {})) if (typeof part === 'object' && 'responses' in part) part.responses = { default: { description: 'See the contract.' } }
  return bare
}

const principalOf = (req: ExpressRequest): Principal => {
  const { principal } = stateOf(req)
  if (principal === undefined) throw new Error('authenticate has to run before dispatch')
  return principal
}

const hasRole = (context: Context, req: ExpressRequest): boolean => principalOf(req).roles.includes(operations[context.operation.operationId as OperationId].role)

/** What openapi-backend hands over after validation, without its `any`. */
type Validated = Pick<HandlerRequest<OperationId>, 'params' | 'query' | 'headers'> & { readonly requestBody: unknown }

function sender(id: OperationId, handlers: Handlers, clock: Clock): Send {
  // One type for all handlers: the contract decides which request a handler gets, and it has been checked when this runs.
  const handler = handlers[id] as (request: HandlerRequest<OperationId>) => AnyReply | Promise<AnyReply>
  return async (context, req, res) => {
    const { params, query, headers, requestBody } = context.request as Validated
    const given = { params, query, headers, body: requestBody, principal: principalOf(req), correlation_id: stateOf(req).correlation_id }
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
