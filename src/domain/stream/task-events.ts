import type { components } from '../../../generated/api.ts'
import type { AcceptedTask } from '../task.ts'

type Schemas = components['schemas']
/** Written at acceptance. */
export type StartedEvent = Schemas['StartedEvent']
/** The state of a task at one moment. */
export type MetricsEvent = Schemas['MetricsEvent']
/** A task completed. */
export type EndEvent = Schemas['EndEvent']
/** A task ended without completing. */
export type ErrorEvent = Schemas['ErrorEvent']

/** The one event that ends a task. */
export type TerminalEvent = { readonly end: EndEvent } | { readonly error: ErrorEvent }

/** A finished task's events, each as JSON. */
export interface StoredLog {
  readonly started: string
  /** A line for each block of parts. @see PartLog */
  readonly parts: string
  /** Empty where no metrics were reported. */
  readonly metrics: string
  readonly terminal: string
}

/** What the `started` event of an accepted task says. */
export function startedEvent({ queue_position, predicted_start_ms, pool_id, request, accepted_at }: AcceptedTask): StartedEvent {
  return { queue_position, predicted_start_ms, pool_id, engine: request.engine, accepted_at: new Date(accepted_at).toISOString() }
}
