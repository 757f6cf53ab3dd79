import { ResponseFrames } from '../../../doors/openai/responses/frames.ts'
import { nothingBefore, responseTask } from '../../../doors/openai/responses/request.ts'
import type { DoorTask, DoorTasks } from '../../../services/tasks/door-tasks.ts'
import { askedBy, streamed, taskHeaders } from '../../asked.ts'
import type { Handler } from '../../handler.ts'
import type { StoredResponses } from './stored-responses.ts'

/** What the handler works with. */
export interface CreateResponseParts {
  readonly doorTasks: DoorTasks
  readonly stored: StoredResponses
}

/** POST /v1/responses */
export const createResponse =
  ({ doorTasks, stored }: CreateResponseParts): Handler<'createResponse'> =>
  async (request) => {
    const { body, principal } = request
    const { previous_response_id: previous } = body
    const before = previous == null || previous === '' ? nothingBefore : await stored.conversation(principal, previous)
    const input = Array.isArray(body.input) ? await stored.withReferences(principal, body.input) : (body.input ?? null)
    const { told, ...translated } = responseTask({ ...body, input }, before)
    const asked = askedBy(request, translated, body.prompt_cache_key)
    const stays = asked.stays || told.background
    const framesFrom = (task: DoorTask, after: number): ResponseFrames =>
      new ResponseFrames({ ...task, request: { ...translated.request, model_ref: task.model }, told }, { after })
    const wanted = { ...asked, stays, ...(told.store ? { kept: told } : {}) }
    if (body.stream === true) return streamed(doorTasks, wanted, (task) => framesFrom(task, -1))
    const { source, format, ...task } = await doorTasks.open(wanted, (task) => framesFrom(task, Infinity))
    const value = told.background ? Promise.resolve(format.response('queued')) : source.ended().then(() => format.response())
    return { status: 200, coming: { value, close: () => source.close() }, headers: taskHeaders(task) }
  }
