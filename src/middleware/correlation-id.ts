import type { RequestHandler } from 'express'
import { correlationIdFrom } from '../domain/correlation-id.ts'
import { beginRequest } from './request-state.ts'

/** Puts `X-Correlation-Id` on the response: the request's if it is well formed, else a new one. */
export const correlationId: RequestHandler = (req, res, next) => {
  const given = req.headers['x-correlation-id']
  const id = correlationIdFrom(Array.isArray(given) ? given[0] : given)
  res.setHeader('X-Correlation-Id', id)
  beginRequest(req, id)
  next()
}
