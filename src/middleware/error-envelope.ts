import type { ErrorRequestHandler } from 'express'
import type { components } from '../../generated/api.ts'
import { operations } from '../../generated/operations.ts'
import { DomainError, type ReplyKind } from '../domain/errors.ts'
import { stateOf } from './request-state.ts'

/** HTTP status of every failure that can be a reply. */
const statusOf: Readonly<Record<ReplyKind, number>> = {
  invalid_params: 400,
  deadline_unmet: 400,
  unauthenticated: 401,
  forbidden: 403,
  budget_exhausted: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  model_deprecated: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  untrusted: 422,
  queue_full: 429,
  rate_limited: 429,
  nothing_to_drop: 429,
  internal: 500,
  pool_unready: 503,
  pool_unavailable: 503,
  replica_exhausted: 503,
}

/** What is done with an error that is ours: it is logged, with its cause and stack. */
export type ReportError = (error: unknown, correlation_id: string, what: string) => void

const internalMessage = 'Something went wrong on our side; the log has it under this correlation id.'

/**
 * The only place that knows HTTP statuses. Turns what was thrown into the declared envelope; what nobody foresaw becomes a 500 without
 * detail, and so does a status the operation does not declare.
 * @param strict throw on an undeclared status instead (tests)
 */
export function errorEnvelope(report: ReportError, strict: boolean): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    const state = stateOf(req)
    const { correlation_id } = state
    if (res.headersSent) {
      report(thrown, correlation_id, 'after the headers were sent')
      res.destroy()
      return
    }
    let error = domainError(thrown)
    if (error.kind === 'internal' || error.cause !== undefined)
      report(thrown, correlation_id, error.kind === 'internal' ? 'unexpected' : error.message)
    const declared = isOperation(state.operationId) ? operations[state.operationId].statuses : undefined
    if (declared !== undefined && !declared.some((status) => status === statusOf[error.kind])) {
      report(thrown, correlation_id, `${state.operationId ?? ''} does not declare ${statusOf[error.kind]}`)
      if (strict) {
        next(new Error(`${state.operationId ?? ''} does not declare ${statusOf[error.kind]}`, { cause: thrown }))
        return
      }
      error = new DomainError('internal', internalMessage)
    }
    const status = statusOf[error.kind]
    const { engine, pool_id, policy_label, allow } = error.details
    const retry_after_ms = status === 429 || status === 503 ? Math.max(1, Math.ceil(error.details.retry_after_ms ?? 1000)) : undefined
    if (retry_after_ms !== undefined) {
      res.setHeader('Retry-After', Math.ceil(retry_after_ms / 1000))
      res.setHeader('X-Backoff-Ms', retry_after_ms)
    }
    if (allow !== undefined) res.setHeader('Allow', allow.join(', '))
    const body: components['schemas']['ErrorEnvelope'] = {
      code: error.code,
      message: error.message.slice(0, 2000),
      ...(engine === undefined ? {} : { engine }),
      ...(pool_id === undefined ? {} : { pool_id }),
      retriable: error.retriable,
      ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
      ...(policy_label === undefined ? {} : { policy_label }),
      correlation_id,
    }
    res.statusCode = status
    res.setHeader('Content-Type', 'application/json; charset=utf-8')
    res.end(JSON.stringify(body))
  }
}

const isOperation = (id: string | undefined): id is keyof typeof operations => id !== undefined && id in operations

function domainError(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown
  if (thrown instanceof URIError)
    return new DomainError('invalid_params', 'path: a % in the URL is not followed by two hex digits that decode to UTF-8')
  return new DomainError('internal', internalMessage, { cause: thrown })
}
