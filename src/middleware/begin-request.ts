import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { DomainError } from '../domain/errors.ts'
import { attachState } from './request-state.ts'

/** The client's id if it is 1 to 128 visible ASCII characters, else a new UUID. */
export const correlationIdFrom = (given: string | undefined): string =>
  given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()

/** Begins a request: `X-Correlation-Id` is on its response, the request's if it is well formed, else a new one, and its `Host` is checked. */
export const beginRequest: RequestHandler = (req, res, next) => {
  const given = req.headers['x-correlation-id']
  const id = correlationIdFrom(Array.isArray(given) ? given[0] : given)
  res.setHeader('X-Correlation-Id', id)
  attachState(req, id)
  requireOneHost(req)
  next()
}

/** Refuses a request without a `Host`, which HTTP/1.1 asks for, and one with two: whoever stands in between may go by the other one. */
function requireOneHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  if (hosts > 1) throw new DomainError('invalid_params', 'Host: is there more than once; send it once.')
  if (hosts === 0 && httpVersion === '1.1') throw new DomainError('invalid_params', 'Host: is missing; HTTP/1.1 requires it.')
}
