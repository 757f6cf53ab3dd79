import express, { type Request, type RequestHandler, type Response } from 'express'
import { checkWellFormed } from '../domain/artifact.ts'
import { DomainError } from '../domain/errors.ts'
import { checkNesting, deepest } from '../domain/nesting.ts'
import { stateOf } from '../middleware/request-state.ts'
import { readByRounds, waitToParse } from './request-rounds.ts'

/**
 * Parses a JSON body of at most `limit` bytes into `req.body`; what express says of a bad one becomes our own errors.
 * @param name of the limit, below `limits` in the configuration
 * @returns rejects with DomainError invalid_params, payload_too_large or unsupported_media_type
 */
export function bodyParser(name: string, limit: number): (req: Request, res: Response) => Promise<void> {
  // The type has been looked at when this runs. Express decodes text ten times slower than Node does.
  const read: RequestHandler = express.raw({ limit, type: () => true })
  return async (req, res) => {
    const length = req.headers['content-length']
    const hasBody = (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined
    if (!hasBody) throw missing()
    const type = req.headers['content-type'] ?? ''
    if (type !== 'application/json' && req.is('application/json') === false)
      throw new DomainError('unsupported_media_type', 'Send the body as Content-Type: application/json.')
    const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1]
    if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw notUtf8()
    const key = stateOf(req).principal?.name ?? ''
    const stopRounds = readByRounds(req, key)
    await new Promise<void>((resolve, reject) => {
      void read(req, res, (error?: unknown) => {
        stopRounds()
        if (error === undefined) resolve()
        else reject(bodyError(error, `limits.${name} (${limit})`))
      })
    })
    const bytes: unknown = req.body
    if (!Buffer.isBuffer(bytes) || bytes.length === 0) throw missing()
    if (isWide(bytes)) throw notUtf8()
    await waitToParse(key, bytes.length)
    const body = parsed(bytes)
    // Each level takes two bytes.
    if (bytes.length > 2 * deepest) checkNesting(body)
    // Half of a surrogate pair is there only where an escape has written it.
    if (bytes.includes('\\ud') || bytes.includes('\\uD')) checkWellFormed(body)
    // Validation would parse a text once more and take a task that was encoded twice.
    if (typeof body !== 'object') throw new DomainError('invalid_params', 'body: must be object')
    req.body = body
  }
}

const utf8 = new TextDecoder()

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    // The parser's message has an excerpt of the body, and with it of the prompt.
    throw new DomainError('invalid_params', 'body: not valid JSON')
  }
}

const missing = (): DomainError => new DomainError('invalid_params', 'body: the request needs a JSON body')

const notUtf8 = (): DomainError =>
  new DomainError('unsupported_media_type', 'The charset or content encoding of the body is not supported; send UTF-8.')

/** JSON begins with two characters of ASCII: a zero among them is UTF-16 or UTF-32 (RFC 4627, section 3), and so is their byte order mark. */
const isWide = ([first, second]: Buffer): boolean =>
  first === 0 || second === 0 || (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)

/** Errors of body-parser carry a `type` and a `status` (its README, section Errors). */
function bodyError(thrown: unknown, limit: string): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const type = 'type' in error ? error.type : undefined
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500
  if (type === 'entity.too.large') return new DomainError('payload_too_large', `The body is larger than ${limit}.`)
  if (status === 415) return notUtf8()
  return status < 500 ? new DomainError('invalid_params', `body: ${error.message}`) : error
}
