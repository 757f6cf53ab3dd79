import { anthropicHandlers, type AnthropicServices } from './anthropic/anthropic-handlers.ts'
import { openAiHandlers, type OpenAiServices } from './openai/openai-handlers.ts'

/** What the handlers of the doors of other APIs work with. */
export type DoorServices = AnthropicServices & OpenAiServices

/** Their operations. */
export const doorHandlers = (services: DoorServices) => ({
  ...anthropicHandlers(services),
  ...openAiHandlers(services),
})
