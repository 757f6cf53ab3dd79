import type { Server } from 'node:http'
import type { Express } from 'express'
import { refuseWithEnvelope } from './parser-refusals.ts'

export { watchSockets } from './stuck-sockets.ts'

// An import of a built-in module reads all its exports; one of this module's is a getter that loads an HTTP client, 13 MiB of it.
const { createServer, IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http')

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
