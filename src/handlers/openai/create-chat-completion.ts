import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import { chatCompletion } from '../../doors/openai/chat-answer.ts'
import { ChatFrames } from '../../doors/openai/chat-frames.ts'
import { chatTask } from '../../doors/openai/chat-request.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, taskHeaders } from '../asked.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/chat/completions */
export const createChatCompletion =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createChatCompletion'> =>
  async (request) => {
    const { body } = request
    const asked = askedBy(request, chatTask(body), body.prompt_cache_key)
    const model = body.model ?? ''
    if (body.stream === true) {
      const include_usage = body.stream_options?.include_usage === true
      const { source, ...task } = await doorTasks.open(asked, (task) => new ChatFrames({ ...task, model }, include_usage))
      return { status: 200, stream: source, headers: taskHeaders(task) }
    }
    const answer = new WholeAnswer()
    const { source, ...task } = await doorTasks.open(asked, () => answer)
    const value = source.ended().then(() => chatCompletion({ ...task, model }, answer))
    return { status: 200, coming: { value, close: () => source.close() }, headers: taskHeaders(task) }
  }
