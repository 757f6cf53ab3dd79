import type { Server } from 'node:http'
import type { Express } from 'express'

export { watchSockets } from './stuck-sockets.ts'

// An import of a built-in module reads all its exports; one of this module's is a getter that loads an HTTP client, 13 MiB of it.
const { createServer, IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http')

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
  return createServer({ IncomingMessage: Request, ServerResponse: Response }, app)
}
