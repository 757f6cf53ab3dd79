import type { EngineName, ErrorCode, TaskError } from './task.ts'

/** What the catalogue says of a failure: its code on the wire, and whether trying again can help. */
interface Advice {
  readonly code: ErrorCode
  readonly retriable: boolean
}

/** Failures that may be the answer to a request: the code on the wire and whether trying again can help. Tasks may end with them, too. */
export const replyErrors = {
  invalid_params: { code: 'INVALID_PARAMS', retriable: false },
  prompt_too_long: { code: 'INVALID_PARAMS', retriable: false },
  method_not_allowed: { code: 'INVALID_PARAMS', retriable: false },
  payload_too_large: { code: 'INVALID_PARAMS', retriable: false },
  unsupported_media_type: { code: 'INVALID_PARAMS', retriable: false },
  deadline_unmet: { code: 'DEADLINE_UNMET', retriable: false },
  unauthenticated: { code: 'UNAUTHENTICATED', retriable: false },
  wrong_key: { code: 'FORBIDDEN', retriable: false },
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
} as const satisfies Record<string, Advice>

/** Failures that only an accepted task has: they go into its stream and its record, and no request is answered with them. */
export const streamErrors = {
  canceled: { code: 'CANCELED', retriable: false },
  displaced: { code: 'QUEUE_FULL_DROP_LRU', retriable: true },
  expired: { code: 'DEADLINE_UNMET', retriable: true },
  decode_timeout: { code: 'DECODE_TIMEOUT', retriable: true },
  worker_reset: { code: 'WORKER_RESET', retriable: true },
} as const satisfies Record<string, Advice>

/** Name of a failure that may be a reply. */
export type ReplyKind = keyof typeof replyErrors
/** Name of a failure that only a stream carries. */
export type StreamKind = keyof typeof streamErrors

/** What a failure carries besides its message. */
export interface ErrorDetails {
  readonly engine?: EngineName
  readonly pool_id?: string
  /** When it is worth trying again, ms. */
  readonly retry_after_ms?: number
  readonly policy_label?: 'reject' | 'drop-lru' | 'rate-limit'
  /** Overrides the catalogue. */
  readonly retriable?: boolean
  /** For `prompt_too_long`: what the task needs and what there is, tokens. */
  readonly context?: { readonly prompt_tokens: number; readonly max_tokens?: number; readonly ctx_max: number }
  /** A field of a door's request that cannot be done, for programs. */
  readonly unsupported?: string
  /** For `not_found`: what there is not, where it is no model. */
  readonly absent?: string
  /** Methods the path does have, for `method_not_allowed`. */
  readonly allow?: readonly string[]
  readonly cause?: unknown
}

/** Runs it so that no error takes down where it was made: where nobody reads that, it costs more than all the rest. */
export function untraced<T>(run: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** A failure of the catalogue: the client is told about it. */
export abstract class Failure extends Error {
  abstract readonly kind: ReplyKind | StreamKind
  readonly code: ErrorCode
  readonly retriable: boolean
  readonly details: ErrorDetails

  constructor({ code, retriable }: Advice, message: string, details: ErrorDetails) {
    // Refusals under a policy are most answers of an overloaded daemon, and nobody asks for their stacks, which cost more than all the rest.
    const { stackTraceLimit } = Error
    if (details.policy_label !== undefined) Error.stackTraceLimit = 0
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.retriable = details.retriable ?? retriable
    this.details = details
  }

  /** As it is recorded with a task. */
  get taskError(): TaskError {
    return { code: this.code, message: this.message, retriable: this.retriable }
  }
}

/** A failure that may be a reply. Thrown by services and handlers; only the error envelope turns it into HTTP. A task may end with it, too. */
export class DomainError extends Failure {
  override readonly name: string = 'DomainError'
  readonly kind: ReplyKind

  constructor(kind: ReplyKind, message: string, details: ErrorDetails = {}) {
    super(replyErrors[kind], message, details)
    this.kind = kind
  }
}

/** A failure that only a task ends with: no request is answered with it, so it has no HTTP status. */
export class StreamError extends Failure {
  override readonly name = 'StreamError'
  readonly kind: StreamKind

  constructor(kind: StreamKind, message: string, details: ErrorDetails = {}) {
    super(streamErrors[kind], message, details)
    this.kind = kind
  }
}

/** Code of a failed call of the system or of a library, e.g. ENOENT; `error` where it has none. Neither holds a path, nor what a server has sent. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error'

/** Refuses a field of a request's body, in words that name it. @throws DomainError invalid_params, always */
export function refuseField(field: string, rule: string): never {
  throw new DomainError('invalid_params', `body.${field}: ${rule}`)
}
