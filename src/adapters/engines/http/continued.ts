import { textOf } from '../../../domain/chat.ts'
import type { GenerateRequest, Prompt } from '../../../ports/engine.ts'

/**
 * The request with what the answer has so far at the end of its prompt, as a server takes it: a raw prompt gets longer, and a conversation ends
 * with the words of the assistant, which a server with the feature `prefill` leaves open. The server counts them as tokens of the prompt. One whose
 * model thinks must not say that it continues: it would think again, or take the rest of the answer for thoughts.
 */
export const continued = (request: GenerateRequest): GenerateRequest =>
  request.continue_from === undefined ? request : { ...request, prompt: withText(request.prompt, request.continue_from) }

function withText(prompt: Prompt, text: string): Prompt {
  if ('text' in prompt) return { text: prompt.text + text }
  const last = prompt.messages.at(-1)
  if (last?.role !== 'assistant' || last.tool_calls !== undefined)
    return { ...prompt, messages: [...prompt.messages, { role: 'assistant', content: text }] }
  return { ...prompt, messages: [...prompt.messages.slice(0, -1), { ...last, content: textOf(last.content) + text }] }
}
