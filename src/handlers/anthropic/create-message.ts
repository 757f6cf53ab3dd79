import { messageAnswer } from '../../doors/anthropic/message-answer.ts'
import { MessageFrames } from '../../doors/anthropic/message-frames.ts'
import { messagesTask, userSession } from '../../doors/anthropic/messages-request.ts'
import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import type { DoorTask, DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, taskHeaders } from '../asked.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/messages */
export const createMessage =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createMessage'> =>
  async (request) => {
    const { body, correlation_id } = request
    const asked = askedBy(request, messagesTask(body), userSession(body.metadata))
    const model = body.model ?? ''
    const own = (task: DoorTask) => ({ ...taskHeaders(task), 'request-id': correlation_id })
    if (body.stream === true) {
      const { source, ...task } = await doorTasks.open(asked, (task) => new MessageFrames({ ...task, model }))
      return { status: 200, stream: source, headers: own(task) }
    }
    const answer = new WholeAnswer()
    const { source, ...task } = await doorTasks.open(asked, () => answer)
    const value = source.ended().then(() => messageAnswer({ ...task, model }, answer))
    return { status: 200, coming: { value, close: () => source.close() }, headers: own(task) }
  }
