import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { beginRequest } from './request-state.ts'

/** The client's id if it is 1 to 128 visible ASCII characters, else a new UUID. */
export const correlationIdFrom = (given: string | undefined): string =>
  given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()

/** Puts `X-Correlation-Id` on the response: the request's if it is well formed, else a new one. */
export const correlationId: RequestHandler = (req, res, next) => {
  const given = req.headers['x-correlation-id']
  const id = correlationIdFrom(Array.isArray(given) ? given[0] : given)
  res.setHeader('X-Correlation-Id', id)
  beginRequest(req, id)
  next()
}
