import type { TaskRequest } from '../../domain/task.ts'

/** A request of a door as a task. */
export interface Translated {
  readonly request: TaskRequest
  /** Most tokens wanted; what the context has left where that is less. */
  readonly most_tokens?: number
}
