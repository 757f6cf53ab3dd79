import { isDetached, orchdFields, sessionIdOf } from '../doors/common/orchd-headers.ts'
import type { Translated } from '../doors/common/translated.ts'
import type { DoorRequest, DoorTask } from '../services/tasks/door-tasks.ts'
import type { HandlerRequest, OperationId } from './handler.ts'

type Asking = Pick<HandlerRequest<OperationId>, 'principal' | 'headers' | 'correlation_id'>

/** A translated request with what its headers say. @param session what its body calls a session */
export function askedBy({ principal, headers, correlation_id }: Asking, translated: Translated, session?: string | null): DoorRequest {
  const session_id = sessionIdOf(headers, session)
  const request = { ...translated.request, ...orchdFields(headers), ...(session_id === undefined ? {} : { session_id }) }
  return { ...translated, principal, correlation_id, request, stays: isDetached(headers) }
}

/** What an answer says of its task. */
export const taskHeaders = ({ task_id, attached }: DoorTask) => ({
  'X-Task-Id': task_id,
  ...(attached ? { 'X-Orchd-Attached': 'true' as const } : {}),
})
