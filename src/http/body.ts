import express, { type Request, type RequestHandler, type Response } from 'express'
import { DomainError } from '../domain/errors.ts'

/**
 * Parses a JSON body of at most `limit` bytes into `req.body`; what express says of a bad one becomes our own errors.
 * @param name of the limit, below `limits` in the configuration
 * @returns rejects with DomainError invalid_params, payload_too_large or unsupported_media_type
 */
export function bodyParser(name: string, limit: number): (req: Request, res: Response) => Promise<void> {
  // The type has been looked at when this runs.
  const json: RequestHandler = express.json({ limit, strict: false, type: () => true })
  return async (req, res) => {
    const length = req.headers['content-length']
    const hasBody = (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined
    if (!hasBody) throw new DomainError('invalid_params', 'body: the request needs a JSON body')
    if (req.headers['content-type'] !== 'application/json' && req.is('application/json') === false) {
      throw new DomainError('unsupported_media_type', 'Send the body as Content-Type: application/json.')
    }
    await new Promise<void>((resolve, reject) => {
      void json(req, res, (error?: unknown) => {
        if (error === undefined) resolve()
        else reject(bodyError(error, `limits.${name} (${limit})`))
      })
    })
    // Validation would parse a text once more and take a task that was encoded twice.
    if (typeof (req.body as unknown) !== 'object') throw new DomainError('invalid_params', 'body: must be object')
  }
}

/** Errors of body-parser carry a `type` and a `status` (its README, section Errors). */
function bodyError(thrown: unknown, limit: string): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const type = 'type' in error ? error.type : undefined
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500
  if (type === 'entity.too.large') return new DomainError('payload_too_large', `The body is larger than ${limit}.`)
  if (status === 415) {
    return new DomainError('unsupported_media_type', 'The charset or content encoding of the body is not supported; send UTF-8.')
  }
  // The parser's message has an excerpt of the body, and with it of the prompt.
  if (type === 'entity.parse.failed') return new DomainError('invalid_params', 'body: not valid JSON')
  return status < 500 ? new DomainError('invalid_params', `body: ${error.message}`) : error
}
