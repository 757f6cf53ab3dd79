import type { Artifact } from '../domain/artifact.ts'
import type { DomainError } from '../domain/errors.ts'
import type { GenerateResult } from '../ports/engine.ts'

/** Why a task ended before it completed, as `tasks_canceled_total` counts it. */
export type CancelReason = 'client' | 'deadline' | 'displaced' | 'shutdown' | 'drain'

/** How a task ends. */
export type Ending =
  | { readonly kind: 'completed'; readonly result: GenerateResult; readonly output?: Artifact }
  | { readonly kind: 'error'; readonly error: DomainError; readonly reason?: CancelReason }

