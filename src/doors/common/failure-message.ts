import type { ErrorEvent } from '../../domain/stream/task-events.ts'

/** What a stream says of a failure: clients send a request again where they read these words in it. */
export const failureMessage = ({ message, retriable }: Pick<ErrorEvent, 'message' | 'retriable'>): string =>
  retriable ? `${message} (server error, overloaded: the same request may succeed)` : message
