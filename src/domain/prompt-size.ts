import { textOf } from './chat.ts'
import { estimateTokens } from './task-rules.ts'
import type { ChatMessage, TaskRequest, Tool } from './task.ts'

/** Bytes that Base64 stands for. */
const bytesOf = (base64: string): number => Math.floor(base64.length * 0.75)

/** An image in tokens: what hosted models take for a small one, and more with its size, up to what they take for the largest. */
const imageTokens = (url: string, detail: string | undefined): number =>
  detail === 'low' ? 85 : 85 + Math.min(1445, Math.ceil(bytesOf(url) / 2048))

/** Sound in tokens: ten a second of what is recorded at 32 kB a second. */
const audioTokens = (data: string): number => Math.ceil(bytesOf(data) / 3200)

/** Rough count of a message's tokens: of all that it has, without what a template puts around it. */
export function estimateMessage({ content, name, reasoning_content, tool_calls = [] }: ChatMessage): number {
  let tokens = estimateTokens(textOf(content)) + estimateTokens(name ?? '') + estimateTokens(reasoning_content ?? '')
  if (Array.isArray(content))
    for (const part of content) {
      if (part.type === 'image_url') tokens += imageTokens(part.image_url.url, part.image_url.detail)
      if (part.type === 'input_audio') tokens += audioTokens(part.input_audio.data)
    }
  for (const call of tool_calls) tokens += estimateTokens(call.function.name) + estimateTokens(call.function.arguments)
  return tokens
}

/** Rough count of the tokens in which tools are told to a model. */
export const estimateTools = (tools: readonly Tool[] = []): number =>
  tools.reduce((sum, tool) => sum + estimateTokens(JSON.stringify(tool.function)), 0)

/** Rough count of the tokens of a text, or of a conversation in a chat template: 4 tokens more for each message. */
export const estimatePrompt = (
  prompt: { readonly text: string } | { readonly messages: readonly ChatMessage[]; readonly tools?: readonly Tool[] },
): number =>
  'text' in prompt
    ? estimateTokens(prompt.text)
    : prompt.messages.reduce((sum, message) => sum + estimateMessage(message) + 4, estimateTools(prompt.tools))

/** Bytes of the text that a prompt is made of, without what a template puts around it. */
export const promptBytes = ({ prompt = '', messages = [] }: Pick<TaskRequest, 'prompt' | 'messages'>): number =>
  messages.reduce((sum, { content }) => sum + Buffer.byteLength(textOf(content)), Buffer.byteLength(prompt))
