import { chatCompletion } from '../../doors/openai/chat-answer.ts'
import { ChatFrames } from '../../doors/openai/chat-frames.ts'
import { chatTask } from '../../doors/openai/chat-request.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, streamed, whole } from '../asked.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/chat/completions */
export const createChatCompletion =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createChatCompletion'> =>
  async (request) => {
    const { body } = request
    const asked = askedBy(request, chatTask(body), body.prompt_cache_key)
    if (body.stream !== true) return whole(doorTasks, asked, (task, answer) => chatCompletion(task, answer))
    const include_usage = body.stream_options?.include_usage === true
    return streamed(doorTasks, asked, (task) => new ChatFrames(task, include_usage))
  }
