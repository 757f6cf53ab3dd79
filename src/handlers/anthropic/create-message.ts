import { messageAnswer } from '../../doors/anthropic/message-answer.ts'
import { MessageFrames } from '../../doors/anthropic/message-frames.ts'
import { messagesTask, userSession } from '../../doors/anthropic/messages-request.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, streamed, whole } from '../asked.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/messages */
export const createMessage =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createMessage'> =>
  async (request) => {
    const { body } = request
    const asked = askedBy(request, messagesTask(body), userSession(body.metadata))
    if (body.stream !== true) return whole(doorTasks, asked, (task, answer) => messageAnswer(task, answer))
    return streamed(doorTasks, asked, (task) => new MessageFrames(task))
  }
