import type { Artifacts } from '../../services/artifacts.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { Batches } from '../../services/batches/batches.ts'
import type { Files } from '../../services/batches/files.ts'
import { batchHandlers } from './batch-handlers.ts'
import { createChatCompletion } from './create-chat-completion.ts'
import { createCompletion } from './create-completion.ts'
import { vectorHandlers } from './create-vectors.ts'
import type { ModelParts } from '../model-names.ts'
import { fileHandlers } from './file-handlers.ts'
import { modelHandlers } from './models.ts'
import { responseHandlers, type ResponseServices } from './responses/response-handlers.ts'

/** What the handlers of this door work with. */
export interface OpenAiServices extends ModelParts, ResponseServices {
  readonly artifacts: Pick<Artifacts, 'get'>
  readonly batches: Batches
  readonly doorTasks: DoorTasks
  readonly files: Files
}

/** The operations of OpenAI's door. */
export const openAiHandlers = (services: OpenAiServices) => ({
  createChatCompletion: createChatCompletion(services),
  createCompletion: createCompletion(services),
  ...vectorHandlers(services),
  ...modelHandlers(services),
  ...fileHandlers(services),
  ...batchHandlers(services),
  ...responseHandlers(services),
})
