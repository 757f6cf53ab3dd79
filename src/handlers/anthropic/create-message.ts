import { messageAnswer } from '../../doors/anthropic/message-answer.ts'
import { MessageFrames } from '../../doors/anthropic/message-frames.ts'
import { messagesTask, userSession } from '../../doors/anthropic/messages-request.ts'
import { isDetached, orchdFields, sessionIdOf } from '../../doors/common/orchd-headers.ts'
import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import type { DoorTask, DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/messages */
export const createMessage =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createMessage'> =>
  async ({ principal, body, headers, correlation_id }) => {
    const translated = messagesTask(body)
    const session_id = sessionIdOf(headers, userSession(body.metadata))
    const request = { ...translated.request, ...orchdFields(headers), ...(session_id === undefined ? {} : { session_id }) }
    const asked = { ...translated, principal, correlation_id, request, stays: isDetached(headers) }
    const model = body.model ?? ''
    const own = ({ task_id, attached }: DoorTask) => ({
      ...{ 'X-Task-Id': task_id, 'request-id': correlation_id },
      ...(attached ? { 'X-Orchd-Attached': 'true' as const } : {}),
    })
    if (body.stream === true) {
      const { source, ...task } = await doorTasks.open(asked, (task) => new MessageFrames({ ...task, model }))
      return { status: 200, stream: source, headers: own(task) }
    }
    const answer = new WholeAnswer()
    const { source, ...task } = await doorTasks.open(asked, () => answer)
    const value = source.ended().then(() => messageAnswer({ ...task, model }, answer))
    return { status: 200, coming: { value, close: () => source.close() }, headers: own(task) }
  }
