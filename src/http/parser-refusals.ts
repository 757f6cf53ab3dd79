import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { refusalBytes } from '../middleware/error-envelope.ts'

/** What node says where it refuses a request by itself: the status it would answer with, and a sentence. */
const reasons: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The request line and the headers are larger than 16 KiB together; send smaller ones.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The extensions of a chunk are too large; leave them out.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to come; send it again, whole.'],
  HPE_INVALID_METHOD: [400, 'HTTP knows no such method.'],
  HPE_INVALID_EOF_STATE: [400, 'The connection was closed before the request was complete.'],
}

/** Longest time that a client has to read why it was refused, ms. */
const linger_ms = 2000

/** A response that node is about to write, or writes, to a socket. */
interface Answering extends Duplex {
  readonly _httpMessage?: (ServerResponse & { readonly req: IncomingMessage }) | null
}

/**
 * What node refuses before there is a request has the envelope, too: a method nobody knows, framing that is wrong, headers that are too large, a
 * request that takes too long.
 */
export function refuseWithEnvelope(server: Server): void {
  server.on('clientError', (error: Error & { code?: string; reason?: string }, socket: Answering) => {
    if (socket.writableEnded || socket.destroyed) return
    const underWay = socket._httpMessage
    // The answer to a request that was whole goes out first, and nothing after it.
    if (underWay?.req.complete === true && socket.writable) {
      underWay.shouldKeepAlive = false
      return
    }
    const [status, message] = reasons[error.code ?? ''] ?? [400, `This is not HTTP: ${error.reason ?? 'the request cannot be read'}.`]
    if (!socket.writable) socket.destroy()
    else if (underWay?.headersSent === true) socket.end()
    else socket.end(refusalBytes(status, message))
    // What still comes is read and dropped for a while: a reset would take the answer away from its reader.
    setTimeout(() => socket.destroy(), linger_ms).unref()
  })
  server.on('connect', (_req, socket) => {
    socket.on('error', () => undefined)
    socket.end(refusalBytes(400, 'CONNECT is not a method of this server: it is no proxy.'))
  })
}
