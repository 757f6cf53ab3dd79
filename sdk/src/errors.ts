import type { components } from '../generated/contract.ts'

type Envelope = components['schemas']['ErrorEnvelope']
type ErrorEvent = components['schemas']['ErrorEvent']

/** What went wrong, for programs. Codes may be added; those of answers that are not the daemon's (a proxy's) are `HTTP_` and the status. */
export type ErrorCode = Envelope['code']

/** Anything that goes wrong between this client and the daemon; aborting is not among it: that rejects with the signal's reason. */
export abstract class OrchestratordError extends Error {
  /** Whether the same may succeed later. */
  abstract readonly retriable: boolean
  /** When it is worth trying again, as the daemon told: `X-Backoff-Ms`, else the body, else `Retry-After`. */
  readonly retry_after_ms: number | undefined = undefined
}

/** The daemon could not be reached, or went away in the middle of an answer. `cause` is what the platform says. */
export class ConnectionError extends OrchestratordError {
  override readonly name = 'ConnectionError'
  override readonly retriable = true
}

/** The daemon, or a proxy before it, answered with an error status. */
export class ApiError extends OrchestratordError {
  override readonly name = 'ApiError'
  override readonly retriable: boolean
  override readonly retry_after_ms: number | undefined
  readonly status: number
  readonly code: ErrorCode
  readonly engine: Envelope['engine']
  readonly pool_id: Envelope['pool_id']
  readonly policy_label: Envelope['policy_label']
  /** Names the request in the daemon's log. */
  readonly correlation_id: string | undefined

  constructor(response: Response, body: unknown) {
    const { status, headers } = response
    const envelope = isEnvelope(body) ? body : undefined
    const ofDoor = doorError(body)
    super(
      envelope?.message ?? ofDoor?.message ?? `The answer has status ${status}${typeof body === 'string' ? `: ${body.slice(0, 200)}` : ''}`,
    )
    this.status = status
    this.code = envelope?.code ?? ofDoor?.code ?? `HTTP_${status}`
    this.retriable = envelope?.retriable ?? [429, 502, 503, 504].includes(status)
    this.retry_after_ms = toldByHeaders(headers, envelope?.retry_after_ms)
    this.engine = envelope?.engine
    this.pool_id = envelope?.pool_id
    this.policy_label = envelope?.policy_label
    this.correlation_id = envelope?.correlation_id ?? headers.get('x-correlation-id') ?? undefined
  }
}

/** A task ended without completing: the `error` event of its stream. */
export class TaskFailed extends OrchestratordError {
  override readonly name = 'TaskFailed'
  override readonly retriable: boolean
  override readonly retry_after_ms: number | undefined
  readonly task_id: string
  readonly code: ErrorCode
  readonly engine: ErrorEvent['engine']
  readonly pool_id: ErrorEvent['pool_id']

  constructor(task_id: string, { message, code, retriable, retry_after_ms, engine, pool_id }: ErrorEvent) {
    super(message)
    this.task_id = task_id
    this.code = code
    this.retriable = retriable
    this.retry_after_ms = retry_after_ms
    this.engine = engine
    this.pool_id = pool_id
  }
}

function isEnvelope(body: unknown): body is Envelope {
  return typeof body === 'object' && body !== null && 'code' in body && 'message' in body && 'retriable' in body
}

/** What files and batches answer where they refuse: OpenAI's envelope. */
function doorError(body: unknown): { readonly message: string; readonly code?: string } | undefined {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof error !== 'object' || error === null || !('message' in error) || typeof error.message !== 'string') return undefined
  return { message: error.message, ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}) }
}

function toldByHeaders(headers: Headers, ofBody: number | undefined): number | undefined {
  const [backoff, after] = [headers.get('x-backoff-ms'), headers.get('retry-after')]
  if (backoff !== null && /^\d+$/.test(backoff)) return Number(backoff)
  if (ofBody !== undefined || after === null) return ofBody
  // RFC 9110, section 10.2.3: seconds, or a date.
  const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
