import type { Artifacts } from '../../services/artifacts.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import { createChatCompletion } from './create-chat-completion.ts'
import { createCompletion } from './create-completion.ts'
import { vectorHandlers } from './create-vectors.ts'
import type { ModelParts } from '../model-names.ts'
import { modelHandlers } from './models.ts'
import { responseHandlers, type ResponseServices } from './responses/response-handlers.ts'

/** What the handlers of this door work with. */
export interface OpenAiServices extends ModelParts, ResponseServices {
  readonly artifacts: Pick<Artifacts, 'get'>
  readonly doorTasks: DoorTasks
}

/** The operations of OpenAI's door. */
export const openAiHandlers = (services: OpenAiServices) => ({
  createChatCompletion: createChatCompletion(services),
  createCompletion: createCompletion(services),
  ...vectorHandlers(services),
  ...modelHandlers(services),
  ...responseHandlers(services),
})
