import { randomUUID } from 'node:crypto'
import type { ErrorRequestHandler, Request } from 'express'
import type { components } from '../../generated/api.ts'
import { DomainError, type ReplyKind } from '../domain/errors.ts'
import { stateOf } from './request-state.ts'

// An import of the module would load an HTTP client.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** HTTP status of every failure that can be a reply. */
const statusOf: Readonly<Record<ReplyKind, number>> = {
  invalid_params: 400,
  prompt_too_long: 400,
  deadline_unmet: 400,
  unauthenticated: 401,
  wrong_key: 403,
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

/** What an error has beside what was thrown. */
export interface ErrorFacts {
  readonly status: number
  readonly correlation_id: string
  /** Undefined where the request has none. */
  readonly operation_id?: string | undefined
  /** Of 429 and 503. */
  readonly retry_after_ms?: number
}

/** How a door tells errors. */
export interface ErrorShape {
  body(error: DomainError, facts: ErrorFacts): object
  /** What its clients call the header with the correlation id. */
  readonly request_id?: 'request-id' | 'x-request-id'
  /** Statuses that differ from ours. */
  readonly statuses?: Partial<Readonly<Record<ReplyKind, number>>>
  /** Longest `Retry-After`, seconds: clients that would rather give up come back sooner. */
  readonly most_retry_s?: number
}

/** How we tell errors ourselves. */
export const nativeShape: ErrorShape = {
  body: (error, { retry_after_ms, correlation_id }): components['schemas']['ErrorEnvelope'] => {
    const { engine, pool_id, policy_label } = error.details
    return {
      code: error.code,
      message: error.message.slice(0, 2000).toWellFormed(),
      ...(engine === undefined ? {} : { engine }),
      ...(pool_id === undefined ? {} : { pool_id }),
      retriable: error.retriable,
      ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
      ...(policy_label === undefined ? {} : { policy_label }),
      correlation_id,
    }
  },
}

const statusIn = ({ statuses }: ErrorShape, { kind }: DomainError): number => statuses?.[kind] ?? statusOf[kind]

/** An error as a door would answer it, for a request that came in a file. */
export function errorIn(shape: ErrorShape, error: DomainError, operation_id: string): { status_code: number; body: object } {
  const status = statusIn(shape, error)
  return { status_code: status, body: shape.body(error, { status, correlation_id: '', operation_id }) }
}

/** The whole answer to what cannot be told apart from the bytes of a connection, in the envelope; the connection closes after it. */
export function refusalBytes(status: number, message: string): string {
  const correlation_id = randomUUID()
  // A request that took too long to come may come in time when it is sent again.
  const error = new DomainError('invalid_params', message, { retriable: status === 408 })
  const body = JSON.stringify(nativeShape.body(error, { status, correlation_id }))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Correlation-Id: ${correlation_id}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** What the error envelope works with. */
export interface EnvelopeParts {
  readonly report: ReportError
  /** An undeclared status is thrown instead of answered as 500 (tests). */
  readonly strict: boolean
  /** Statuses that an operation declares; undefined where there is no such operation. */
  readonly declared: (operationId: string | undefined) => readonly number[] | undefined
  readonly shapeOf: (req: Request) => ErrorShape
}

/**
 * The only place that knows HTTP statuses. Turns what was thrown into the declared envelope of its door; what nobody foresaw becomes a 500
 * without detail, and so does a status the operation does not declare.
 */
export function errorEnvelope({ report, strict, declared, shapeOf }: EnvelopeParts): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    const state = stateOf(req)
    const { correlation_id } = state
    if (res.headersSent) {
      report(thrown, correlation_id, 'after the headers were sent')
      res.destroy()
      return
    }
    const shape = shapeOf(req)
    const statusOfError = (error: DomainError): number => statusIn(shape, error)
    let error = domainError(thrown)
    if (error.kind === 'internal' || error.cause !== undefined)
      report(thrown, correlation_id, error.kind === 'internal' ? 'unexpected' : error.message)
    if (declared(state.operationId)?.includes(statusOfError(error)) === false) {
      const what = `${state.operationId ?? ''} does not declare ${statusOfError(error)}`
      report(thrown, correlation_id, what)
      if (strict) {
        next(new Error(what, { cause: thrown }))
        return
      }
      error = new DomainError('internal', internalMessage)
    }
    const status = statusOfError(error)
    const { allow } = error.details
    const retry_after_ms = status === 429 || status === 503 ? Math.max(1, Math.ceil(error.details.retry_after_ms ?? 1000)) : undefined
    if (retry_after_ms !== undefined) {
      res.setHeader('Retry-After', Math.min(shape.most_retry_s ?? Infinity, Math.ceil(retry_after_ms / 1000)))
      res.setHeader('X-Backoff-Ms', retry_after_ms)
    }
    if (allow !== undefined) res.setHeader('Allow', allow.join(', '))
    const facts = { status, correlation_id, operation_id: state.operationId, ...(retry_after_ms === undefined ? {} : { retry_after_ms }) }
    if (shape.request_id !== undefined) {
      res.setHeader(shape.request_id, correlation_id)
      // By themselves clients of other APIs send again whatever had a 409 or a 500, a task that was cancelled, too.
      if (!error.retriable) res.setHeader('x-should-retry', 'false')
    }
    res.statusCode = status
    res.setHeader('Content-Type', 'application/json; charset=utf-8')
    res.end(JSON.stringify(shape.body(error, facts)))
  }
}

function domainError(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown
  if (thrown instanceof URIError)
    return new DomainError('invalid_params', 'path: a % in the URL is not followed by two hex digits that decode to UTF-8')
  return new DomainError('internal', internalMessage, { cause: thrown })
}
