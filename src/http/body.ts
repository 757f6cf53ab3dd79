import type { IncomingMessage } from 'node:http'
import express, { type Request, type RequestHandler, type Response } from 'express'
import { checkWellFormed } from '../domain/artifact.ts'
import { DomainError } from '../domain/errors.ts'

/**
 * Parses a JSON body of at most `limit` bytes into `req.body`; what express says of a bad one becomes our own errors.
 * @param name of the limit, below `limits` in the configuration
 * @returns rejects with DomainError invalid_params, payload_too_large or unsupported_media_type
 */
export function bodyParser(name: string, limit: number): (req: Request, res: Response) => Promise<void> {
  // The type has been looked at when this runs.
  const json: RequestHandler = express.json({ limit, strict: false, type: () => true, verify: lookAt })
  return async (req, res) => {
    const length = req.headers['content-length']
    const hasBody = (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined
    if (!hasBody) throw new DomainError('invalid_params', 'body: the request needs a JSON body')
    const type = req.headers['content-type'] ?? ''
    if (type !== 'application/json' && req.is('application/json') === false)
      throw new DomainError('unsupported_media_type', 'Send the body as Content-Type: application/json.')
    if (/charset\s*=\s*"?utf-?(16|32)/i.test(type)) throw notUtf8()
    await new Promise<void>((resolve, reject) => {
      void json(req, res, (error?: unknown) => {
        if (error === undefined) resolve()
        else if (seen.get(req) === 'wide') reject(notUtf8())
        else reject(bodyError(error, `limits.${name} (${limit})`))
      })
    })
    if (seen.get(req) === 'torn') checkWellFormed(req.body)
    // Validation would parse a text once more and take a task that was encoded twice.
    if (typeof (req.body as unknown) !== 'object') throw new DomainError('invalid_params', 'body: must be object')
  }
}

const notUtf8 = (): DomainError =>
  new DomainError('unsupported_media_type', 'The charset or content encoding of the body is not supported; send UTF-8.')

/** What the bytes of a body show before it is parsed: it is no UTF-8, or half of a surrogate pair may be in it, which only an escape can write. */
const seen = new WeakMap<IncomingMessage, 'wide' | 'torn'>()

/** JSON begins with two characters of ASCII: a zero among them is UTF-16 or UTF-32 (RFC 4627, section 3), and so is their byte order mark. */
function lookAt(req: IncomingMessage, _res: unknown, bytes: Buffer): void {
  const [first, second] = bytes
  if (first === 0 || second === 0 || (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) seen.set(req, 'wide')
  else if (bytes.includes('\\ud') || bytes.includes('\\uD')) seen.set(req, 'torn')
}

/** Errors of body-parser carry a `type` and a `status` (its README, section Errors). */
function bodyError(thrown: unknown, limit: string): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const type = 'type' in error ? error.type : undefined
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500
  if (type === 'entity.too.large') return new DomainError('payload_too_large', `The body is larger than ${limit}.`)
  if (status === 415) {
    return notUtf8()
  }
  // The parser's message has an excerpt of the body, and with it of the prompt.
  if (type === 'entity.parse.failed') return new DomainError('invalid_params', 'body: not valid JSON')
  return status < 500 ? new DomainError('invalid_params', `body: ${error.message}`) : error
}
