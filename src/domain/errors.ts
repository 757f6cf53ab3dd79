import type { EngineName, ErrorCode, TaskError } from './task.ts'

/** Every way a request or a task can fail: its code on the wire and whether trying again can help. */
export const errorCatalogue = {
  invalid_params: { code: 'INVALID_PARAMS', retriable: false },
  method_not_allowed: { code: 'INVALID_PARAMS', retriable: false },
  payload_too_large: { code: 'INVALID_PARAMS', retriable: false },
  unsupported_media_type: { code: 'INVALID_PARAMS', retriable: false },
  deadline_unmet: { code: 'DEADLINE_UNMET', retriable: false },
  unauthenticated: { code: 'UNAUTHENTICATED', retriable: false },
  forbidden: { code: 'FORBIDDEN', retriable: false },
  budget_exhausted: { code: 'BUDGET_EXHAUSTED', retriable: false },
  not_found: { code: 'NOT_FOUND', retriable: false },
  conflict: { code: 'CONFLICT', retriable: false },
  model_deprecated: { code: 'MODEL_DEPRECATED', retriable: false },
  untrusted: { code: 'UNTRUSTED_ARTIFACT', retriable: false },
  queue_full: { code: 'ADMISSION_REJECT', retriable: true },
  rate_limited: { code: 'ADMISSION_REJECT', retriable: true },
  nothing_to_drop: { code: 'QUEUE_FULL_DROP_LRU', retriable: true },
  pool_unready: { code: 'POOL_UNREADY', retriable: true },
  pool_unavailable: { code: 'POOL_UNAVAILABLE', retriable: true },
  replica_exhausted: { code: 'REPLICA_EXHAUSTED', retriable: true },
  internal: { code: 'INTERNAL', retriable: true },
  canceled: { code: 'CANCELED', retriable: false },
  displaced: { code: 'QUEUE_FULL_DROP_LRU', retriable: true },
  expired: { code: 'DEADLINE_UNMET', retriable: true },
  decode_timeout: { code: 'DECODE_TIMEOUT', retriable: true },
  worker_reset: { code: 'WORKER_RESET', retriable: true },
} as const satisfies Record<string, { code: ErrorCode; retriable: boolean }>

/** Name of a failure in the catalogue. */
export type ErrorKind = keyof typeof errorCatalogue

/** What a failure carries besides its message. */
export interface ErrorDetails {
  readonly engine?: EngineName
  readonly pool_id?: string
  /** When it is worth trying again, ms. */
  readonly retry_after_ms?: number
  readonly policy_label?: 'reject' | 'drop-lru' | 'rate-limit'
  /** Overrides the catalogue. */
  readonly retriable?: boolean
  /** Methods the path does have, for `method_not_allowed`. */
  readonly allow?: readonly string[]
  readonly cause?: unknown
}

/** A failure the client is told about. Thrown by services and handlers; only the error envelope turns it into HTTP. */
export class DomainError extends Error {
  override readonly name: string = 'DomainError'
  readonly kind: ErrorKind
  readonly code: ErrorCode
  readonly retriable: boolean
  readonly details: ErrorDetails

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    // Refusals under a policy are most answers of an overloaded daemon, and nobody asks for their stacks, which cost more than all the rest.
    const { stackTraceLimit } = Error
    if (details.policy_label !== undefined) Error.stackTraceLimit = 0
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.kind = kind
    this.code = errorCatalogue[kind].code
    this.retriable = details.retriable ?? errorCatalogue[kind].retriable
    this.details = details
  }

  /** As it is recorded with a task. */
  get taskError(): TaskError {
    return { code: this.code, message: this.message, retriable: this.retriable }
  }
}
