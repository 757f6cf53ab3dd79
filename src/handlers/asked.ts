import { isDetached, orchdFields, sessionIdOf } from '../doors/common/orchd-headers.ts'
import type { Translated } from '../doors/common/translated.ts'
import { WholeAnswer } from '../doors/common/whole-answer.ts'
import type { AnswerFormat, DoorRequest, DoorTask, DoorTasks } from '../services/tasks/door-tasks.ts'
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

/** Answers with a task's frames as they come. @throws DomainError every refusal */
export async function streamed(doorTasks: DoorTasks, asked: DoorRequest, framesOf: (task: DoorTask) => AnswerFormat) {
  const { source, ...task } = await doorTasks.open(asked, framesOf)
  return { status: 200, stream: source, headers: taskHeaders(task) } as const
}

/** Answers with one body once a task has completed. @throws DomainError every refusal */
export async function whole<B>(doorTasks: DoorTasks, asked: DoorRequest, bodyOf: (task: DoorTask, answer: WholeAnswer) => B | Promise<B>) {
  const answer = new WholeAnswer()
  const { source, ...task } = await doorTasks.open(asked, () => answer)
  const value = source.ended().then(() => bodyOf(task, answer))
  return { status: 200, coming: { value, close: () => source.close() }, headers: taskHeaders(task) } as const
}
