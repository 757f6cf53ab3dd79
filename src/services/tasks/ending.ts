import type { Artifact } from '../../domain/artifact.ts'
import type { CancelReason } from '../../domain/daemon-events.ts'
import { maxAttempts } from '../../domain/restart.ts'
import { StreamError, type ErrorDetails, type Failure } from '../../domain/errors.ts'
import type { GenerateResult } from '../../ports/engine.ts'

/** Failed runs after which a task runs alone on its replica: only then it is known to be the one that makes its engine fail. */
export const aloneAfter = maxAttempts - 1

/** The end of a task that has had its attempts. */
export const gaveUp = (details: ErrorDetails): StreamError =>
  new StreamError('worker_reset', `The task was given up after ${maxAttempts} runs that failed; it may be what makes the engine fail.`, {
    ...details,
    retriable: false,
  })

/** A task has its whole answer. */
export interface Completed {
  readonly kind: 'completed'
  readonly result: GenerateResult
  readonly output?: Artifact
}

/** How a task ends. */
export type Ending = Completed | { readonly kind: 'error'; readonly error: Failure; readonly reason?: CancelReason }
