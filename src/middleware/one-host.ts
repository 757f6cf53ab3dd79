import type { RequestHandler } from 'express'
import { DomainError } from '../domain/errors.ts'

/** Refuses a request without a `Host`, which HTTP/1.1 asks for, and one with two: whoever stands in between may go by the other one. */
export const oneHost: RequestHandler = (req, _res, next) => {
  const { rawHeaders } = req
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  if (hosts > 1) throw new DomainError('invalid_params', 'Host: is there more than once; send it once.')
  if (hosts === 0 && req.httpVersion === '1.1') throw new DomainError('invalid_params', 'Host: is missing; HTTP/1.1 requires it.')
  next()
}
