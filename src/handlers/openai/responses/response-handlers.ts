import type { ResponseFrames } from '../../../doors/openai/responses/frames.ts'
import { pageOf } from '../../../doors/openai/responses/input-items.ts'
import { taskIdOf } from '../../../doors/openai/responses/kept.ts'
import type { Principal } from '../../../domain/principal.ts'
import type { FrameSource } from '../../../domain/stream/frame-source.ts'
import type { Cancellation } from '../../../services/tasks/cancellation.ts'
import type { Tasks } from '../../../services/tasks/tasks.ts'
import type { Handlers } from '../../handler.ts'
import { createResponse, type CreateResponseParts } from './create-response.ts'
import { StoredResponses, type StoredResponsesParts } from './stored-responses.ts'

/** What the handlers of responses work with. */
export interface ResponseServices extends StoredResponsesParts, Pick<CreateResponseParts, 'doorTasks'> {
  readonly cancellation: Pick<Cancellation, 'cancel'>
  readonly tasks: Pick<Tasks, 'get' | 'forget'>
}

type Responses = 'createResponse' | 'getResponse' | 'deleteResponse' | 'cancelResponse' | 'listInputItems'

const nothing = (): void => undefined

/** /v1/responses */
export function responseHandlers(services: ResponseServices): Pick<Handlers, Responses> {
  const stored = new StoredResponses(services)
  const { cancellation, doorTasks, tasks } = services
  const cancel = (principal: Principal, id: string): Promise<void> => cancellation.cancel(principal, taskIdOf(id))
  return {
    createResponse: createResponse({ doorTasks, stored }),
    getResponse: async ({ params, query, principal }) => {
      if (query.stream !== true)
        return { status: 200, coming: { value: Promise.resolve(await stored.get(principal, params.response_id)), close: nothing } }
      const { reader, frames } = await stored.open(principal, params.response_id, query.starting_after ?? -1)
      return { status: 200, stream: followed(reader, frames) }
    },
    deleteResponse: async ({ params: { response_id: id }, principal }) => {
      await stored.get(principal, id)
      await cancel(principal, id)
      await tasks.forget(principal, taskIdOf(id))
      return { status: 200, body: { id, object: 'response', deleted: true } }
    },
    cancelResponse: async ({ params: { response_id: id }, principal }) => {
      await stored.get(principal, id)
      await cancel(principal, id)
      return { status: 200, body: await stored.get(principal, id) }
    },
    listInputItems: async ({ params, query, principal }) => ({
      status: 200,
      body: pageOf(await stored.items(principal, params.response_id), query),
    }),
  }
}

/** A reader with its door's signs of life. */
const followed = (reader: FrameSource, frames: ResponseFrames): FrameSource => ({
  get done() {
    return reader.done
  },
  get sign() {
    return frames.sign
  },
  take: (max_chars) => reader.take(max_chars),
  onReadable: (run) => reader.onReadable(run),
  close: () => reader.close(),
})
