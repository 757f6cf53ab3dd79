type Kind = 'fail' | 'hang' | 'die' | 'deaf'

/** Time limits of the pools whose engines go wrong. */
export const idle_ms = 30_000
export const abort_ms = 5000

/** What becomes of a task whose engine commits the fault, and of the replica. */
export interface Fault {
  readonly kind: Kind
  readonly after_tokens: number
  readonly code: string
  readonly message: RegExp
  /** The replica is taken down, with this as its last error. */
  readonly down?: RegExp
  /** When it is over, ms. */
  readonly wait_ms: number
}

/** Every kind of fault, before and after the first token. */
export const faults: readonly Fault[] = [
  { kind: 'fail', after_tokens: 3, code: 'WORKER_RESET', message: /engine failed while the task ran/, wait_ms: 0 },
  { kind: 'hang', after_tokens: 0, code: 'DECODE_TIMEOUT', message: /idle_ms \(30000\)/, wait_ms: idle_ms },
  { kind: 'hang', after_tokens: 3, code: 'DECODE_TIMEOUT', message: /idle_ms \(30000\)/, wait_ms: idle_ms },
  { kind: 'die', after_tokens: 3, code: 'WORKER_RESET', message: /engine failed while the task ran/, down: /died on purpose/, wait_ms: 0 },
  {
    kind: 'deaf',
    after_tokens: 0,
    code: 'DECODE_TIMEOUT',
    message: /idle_ms/,
    down: /did not confirm an abort within 5000 ms/,
    wait_ms: idle_ms + abort_ms,
  },
  {
    kind: 'deaf',
    after_tokens: 3,
    code: 'DECODE_TIMEOUT',
    message: /idle_ms/,
    down: /did not confirm an abort within 5000 ms/,
    wait_ms: idle_ms + abort_ms,
  },
]
