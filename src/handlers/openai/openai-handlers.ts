import type { Pools } from '../../services/pools/pools.ts'
import type { DoorTasks } from '../../services/tasks/door-tasks.ts'
import type { Handlers } from '../handler.ts'
import { createChatCompletion } from './create-chat-completion.ts'
import { modelHandlers } from './models.ts'

/** What the handlers of this door work with. */
export interface OpenAiServices {
  readonly doorTasks: DoorTasks
  readonly pools: Pick<Pools, 'all'>
}

/** The operations of OpenAI's door. */
export const openAiHandlers = (services: OpenAiServices): Pick<Handlers, 'createChatCompletion' | 'listModels' | 'retrieveModel'> => ({
  createChatCompletion: createChatCompletion(services),
  ...modelHandlers(services),
})
