import type { BatchEndpoint } from '../../domain/batches/batch.ts'
import type { DomainError } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'

/** A line of a batch as a request. */
export interface LineRequest {
  readonly principal: Principal
  readonly endpoint: BatchEndpoint
  /** The same line has the same task after a crash. */
  readonly task_id: string
  /** It has not been checked. */
  readonly body: unknown
}

/** A line whose task is durable. */
export interface OpenLine {
  /** The body that its door would answer with. Rejects with DomainError where the task did not complete. */
  readonly answer: Promise<unknown>
  /** Nobody waits for the answer any more; the task goes on. */
  readonly close: () => void
}

/** Admits the task of a line, or finds the one it has. Rejects with DomainError, as its door would refuse. */
export type AskLine = (line: LineRequest) => Promise<OpenLine>

/** A refusal as the door would answer it. */
export type RefusalOf = (error: DomainError, endpoint: BatchEndpoint) => { readonly status_code: number; readonly body: unknown }
