import { anthropicHandlers, type AnthropicServices } from './anthropic/anthropic-handlers.ts'
import { openAiHandlers, type OpenAiServices } from './openai/openai-handlers.ts'

/** The operations of the doors of other APIs. */
export const doorHandlers = (services: AnthropicServices & OpenAiServices) => ({
  ...anthropicHandlers(services),
  ...openAiHandlers(services),
})
