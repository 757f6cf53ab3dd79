import { messagesTask } from '../../doors/anthropic/messages-request.ts'
import type { Admission } from '../../services/tasks/admission.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { Handlers } from '../handler.ts'
import { checkName, namesFor, type ModelParts } from '../model-names.ts'
import { createMessage } from './create-message.ts'

/** What the handlers of this door work with. */
export interface AnthropicServices extends ModelParts {
  readonly admission: Pick<Admission, 'count'>
  readonly doorTasks: DoorTasks
}

type Operations = 'createMessage' | 'countMessageTokens' | 'listAnthropicModels' | 'retrieveAnthropicModel'

/** The operations of Anthropic's door. */
export function anthropicHandlers(services: AnthropicServices): Pick<Handlers, Operations> {
  const { admission } = services
  const created_at = new Date().toISOString()
  const modelOf = (id: string) => ({ type: 'model' as const, id, display_name: id, created_at })
  return {
    createMessage: createMessage(services),
    countMessageTokens: async ({ body, principal }) => ({
      status: 200,
      body: { input_tokens: await admission.count(principal, messagesTask(body).request) },
    }),
    listAnthropicModels: ({ principal }) => {
      const data = namesFor(services, principal).map(modelOf)
      return { status: 200, body: { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null } }
    },
    retrieveAnthropicModel: ({ params, principal }) => {
      checkName(services, principal, params.model)
      return { status: 200, body: modelOf(params.model) }
    },
  }
}
