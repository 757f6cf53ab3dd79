import { messagesTask } from '../../doors/anthropic/messages-request.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Pools } from '../../services/pools/pools.ts'
import type { Admission } from '../../services/tasks/admission.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { Handlers } from '../handler.ts'
import { createMessage } from './create-message.ts'

/** What the handlers of this door work with. */
export interface AnthropicServices {
  readonly admission: Pick<Admission, 'count'>
  readonly doorTasks: DoorTasks
  readonly pools: Pick<Pools, 'all'>
}

type Operations = 'createMessage' | 'countMessageTokens' | 'listAnthropicModels' | 'retrieveAnthropicModel'

/** The operations of Anthropic's door. */
export function anthropicHandlers(services: AnthropicServices): Pick<Handlers, Operations> {
  const { admission, pools } = services
  const created_at = new Date().toISOString()
  const models = () =>
    [...new Set(pools.all().map(({ config }) => config.model))].map((id) => ({ type: 'model' as const, id, display_name: id, created_at }))
  return {
    createMessage: createMessage(services),
    countMessageTokens: async ({ body, principal, correlation_id }) => ({
      status: 200,
      body: { input_tokens: await admission.count(principal, messagesTask(body).request) },
      headers: { 'request-id': correlation_id },
    }),
    listAnthropicModels: () => {
      const data = models()
      return { status: 200, body: { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null } }
    },
    retrieveAnthropicModel: ({ params }) => {
      const found = models().find(({ id }) => id === params.model)
      if (found === undefined) throw new DomainError('not_found', `There is no model ${params.model}; GET /v1/models lists what is served.`)
      return { status: 200, body: found }
    },
  }
}
