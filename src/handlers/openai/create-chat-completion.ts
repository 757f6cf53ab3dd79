import { isDetached, orchdFields, sessionIdOf } from '../../doors/common/orchd-headers.ts'
import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import { chatCompletion } from '../../doors/openai/chat-answer.ts'
import { ChatFrames } from '../../doors/openai/chat-frames.ts'
import { chatTask } from '../../doors/openai/chat-request.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/chat/completions */
export const createChatCompletion =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createChatCompletion'> =>
  async ({ principal, body, headers, correlation_id }) => {
    const translated = chatTask(body)
    const session_id = sessionIdOf(headers, body.prompt_cache_key)
    const request = { ...translated.request, ...orchdFields(headers), ...(session_id === undefined ? {} : { session_id }) }
    const asked = { ...translated, principal, correlation_id, request, stays: isDetached(headers) }
    const model = body.model ?? ''
    if (body.stream === true) {
      const include_usage = body.stream_options?.include_usage === true
      const { source, task_id, attached } = await doorTasks.open(asked, (task) => new ChatFrames({ ...task, model }, include_usage))
      return { status: 200, stream: source, headers: { 'X-Task-Id': task_id, ...(attached ? { 'X-Orchd-Attached': 'true' } : {}) } }
    }
    const answer = new WholeAnswer()
    const { source, ...task } = await doorTasks.open(asked, () => answer)
    const value = source.ended().then(() => chatCompletion({ ...task, model }, answer))
    const own = { 'X-Task-Id': task.task_id, ...(task.attached ? { 'X-Orchd-Attached': 'true' as const } : {}) }
    return { status: 200, coming: { value, close: () => source.close() }, headers: own }
  }
