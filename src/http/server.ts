import type cors from 'cors'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import express, { type Express, type Request } from 'express'
import { authenticate, type AuthRules } from '../middleware/authenticate.ts'
import { beginRequest } from '../middleware/begin-request.ts'
import { stateOf } from '../middleware/request-state.ts'
import type { OperationId } from '../handlers/handler.ts'
import { errorEnvelope, type ErrorShape, type ReportError } from '../middleware/error-envelope.ts'
import { KeyConnections } from './connections.ts'
import { docsRoutes } from './docs/routes.ts'
import { createDispatch, type DispatchOptions } from './dispatch.ts'
import { doorOf, operations } from './operations.ts'
import { refuseWithEnvelope } from './parser-refusals.ts'
import { shapes } from './shapes.ts'
import { webRoutes } from './web/routes.ts'

export { watchSockets } from './stuck-sockets.ts'

// An import of a built-in module reads all its exports; one of this module's is a getter that loads an HTTP client, 13 MiB of it.
const { createServer, IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http')

/** What the shell is made with. */
export interface AppOptions extends DispatchOptions {
  readonly auth: AuthRules
  readonly origins: readonly string[]
  /** Connections of one key at once. */
  readonly connections_per_key: number
  /** Undeclared error statuses are thrown instead of answered as 500 (tests). */
  readonly strict: boolean
  readonly report: ReportError
  /** Whether tasks can be taken: every engine has had its first start, and one at least is up. */
  readonly isReady: () => boolean
  readonly metrics: { readonly contentType: string; scrape(): Promise<string> }
}

/** Headers of ours that a page of another origin may read. */
const exposedHeaders = [
  'Location',
  'Retry-After',
  'X-Backoff-Ms',
  'X-Correlation-Id',
  'X-Task-Id',
  'X-Orchd-Attached',
  'X-Budget-Tokens-Remaining',
  'X-Budget-Time-Remaining-Ms',
  'X-Budget-Cost-Remaining',
  'request-id',
  'x-request-id',
  'x-should-retry',
]

// Most daemons let no page of another origin in.
const require = createRequire(import.meta.url)
const crossOrigin = (): typeof cors => require('cors') as typeof cors

/** The HTTP shell: correlation id, public pages, CORS, authentication, dispatch, error envelope. */
export function createApp(options: AppOptions): Express {
  const { auth, origins, metrics, isReady, report, strict } = options
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(beginRequest)
  const pages = express.Router()
  pages.get('/healthz', (_req, res) => void res.json({ status: 'ok' }))
  pages.get('/readyz', (_req, res) => void res.status(isReady() ? 200 : 503).json({ status: isReady() ? 'ready' : 'not ready' }))
  pages.get('/metrics', async (_req, res) => void res.set('Content-Type', metrics.contentType).send(await metrics.scrape()))
  docsRoutes(pages)
  webRoutes(pages)
  // An operation is not looked for among the pages, one after the other.
  app.use((req, res, next) => (req.url.startsWith('/v1/') ? next() : pages(req, res, next)))
  if (origins.length > 0) app.use(crossOrigin()({ origin: [...origins], exposedHeaders, maxAge: 600 }))
  app.use(authenticate(auth))
  const connections = new KeyConnections(options.connections_per_key)
  app.use((req, res, next) => {
    const { principal } = stateOf(req)
    if (principal !== undefined) connections.take(res, req.socket, principal.name)
    next()
  })
  app.use(createDispatch(options))
  const shapeOf = (req: Request): ErrorShape => {
    const { operationId } = stateOf(req)
    return shapes[operations.get(operationId as OperationId)?.door ?? doorOf(req.path, req.headers)]
  }
  const declared = (id: string | undefined): readonly number[] | undefined => operations.get(id as OperationId)?.statuses
  app.use(errorEnvelope({ report, strict, declared, shapeOf }))
  return app
}

/** What node's types leave out of a server. */
interface HalfOpenServer extends Server {
  httpAllowHalfOpen?: boolean
}

/**
 * A server for the app whose requests and responses are born with the prototypes express gives them: to change those of each one that comes
 * in, as it does on any other server, slows down everything that is done with them afterwards.
 */
export function serverOf(app: Express): Server {
  class Request extends IncomingMessage {}
  class Response extends ServerResponse<Request> {}
  Object.setPrototypeOf(Request.prototype, app.request)
  Object.setPrototypeOf(Response.prototype, app.response)
  Object.assign(app, { request: Request.prototype, response: Response.prototype })
  // The app looks at the Host itself, and answers with the envelope.
  const server: HalfOpenServer = createServer({ IncomingMessage: Request, ServerResponse: Response, requireHostHeader: false }, app)
  // Who closes its sending side after a request still reads the answer.
  server.httpAllowHalfOpen = true
  // By itself node refuses what it does not know of an Expect; it may as well be left out.
  server.on('checkExpectation', app)
  refuseWithEnvelope(server)
  return server
}
