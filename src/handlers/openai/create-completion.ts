import { completionAnswer, CompletionFrames } from '../../doors/openai/completion-frames.ts'
import { completionTask } from '../../doors/openai/completion-request.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, streamed, whole } from '../asked.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/completions */
export const createCompletion =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createCompletion'> =>
  async (request) => {
    const { body } = request
    const asked = askedBy(request, completionTask(body), body.prompt_cache_key)
    if (body.stream !== true) return whole(doorTasks, asked, (task, answer) => completionAnswer(task, answer))
    const include_usage = body.stream_options?.include_usage === true
    return streamed(doorTasks, asked, (task) => new CompletionFrames(task, include_usage))
  }
