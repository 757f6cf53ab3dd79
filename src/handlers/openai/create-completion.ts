import { WholeAnswer } from '../../doors/common/whole-answer.ts'
import { completionAnswer, CompletionFrames } from '../../doors/openai/completion-frames.ts'
import { completionTask } from '../../doors/openai/completion-request.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { askedBy, taskHeaders } from '../asked.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/completions */
export const createCompletion =
  ({ doorTasks }: { readonly doorTasks: DoorTasks }): Handler<'createCompletion'> =>
  async (request) => {
    const { body } = request
    const asked = askedBy(request, completionTask(body), body.prompt_cache_key)
    const model = body.model ?? ''
    if (body.stream === true) {
      const include_usage = body.stream_options?.include_usage === true
      const { source, ...task } = await doorTasks.open(asked, (task) => new CompletionFrames({ ...task, model }, include_usage))
      return { status: 200, stream: source, headers: taskHeaders(task) }
    }
    const answer = new WholeAnswer()
    const { source, ...task } = await doorTasks.open(asked, () => answer)
    const value = source.ended().then(() => completionAnswer({ ...task, model }, answer))
    return { status: 200, coming: { value, close: () => source.close() }, headers: taskHeaders(task) }
  }
