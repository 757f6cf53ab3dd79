import type { ChatMessage } from '../../../../domain/task.ts'
import type { Conversation, GenerateRequest, Prompt } from '../../../../ports/engine.ts'
import { objectInText } from '../json.ts'

type ToolCall = NonNullable<ChatMessage['tool_calls']>[number]

/** How a server wants what OpenAI's own API has no word for, or another one. */
export interface BodyStyle {
  /** What `repeat_penalty` is called. */
  readonly repeat_penalty: string
  readonly max_tokens: 'max_tokens' | 'max_completion_tokens'
  /** Whether it reads what the assistant thought as `reasoning`. */
  readonly reasoning?: true
  /** Whether it has sound as `audio_url`. */
  readonly audio_url?: true
}

/** Fields that chats and prompts share. */
function common({ sampling, seed, max_tokens }: GenerateRequest, model: string, style: BodyStyle): Record<string, unknown> {
  const { temperature, top_p, top_k, min_p, repeat_penalty, frequency_penalty, presence_penalty, logit_bias, stop } = sampling
  return {
    ...{ model, seed, [style.max_tokens]: max_tokens, stream: true, stream_options: { include_usage: true } },
    ...{ temperature, top_p, top_k, min_p, frequency_penalty, presence_penalty, logit_bias, stop },
    [style.repeat_penalty]: repeat_penalty,
  }
}

/** Body of `/v1/chat/completions`. */
export const chatBody = (request: GenerateRequest, conversation: Conversation, model: string, style: BodyStyle): object => ({
  ...common(request, model, style),
  ...request.chat,
  ...conversationFor(conversation, style),
})

/** Body of `/v1/completions`. */
export function completionBody(request: GenerateRequest, prompt: string, model: string, style: BodyStyle): object {
  const { logprobs, top_logprobs = 0 } = request.chat
  return { ...common(request, model, style), prompt, ...(logprobs === true ? { logprobs: top_logprobs } : {}) }
}

/** A conversation as a server takes it: ours has OpenAI's form. */
export const conversationFor = ({ messages, tools }: Conversation, style: BodyStyle): object => ({
  messages: messages.map((message) => messageFor(message, style)),
  tools,
})

/** A developer is the system to all of them: many refuse the newer word, and OpenAI itself takes the older one for it. */
function messageFor(message: ChatMessage, { reasoning, audio_url }: BodyStyle): object {
  const { role, content, reasoning_content, tool_calls } = message
  return {
    ...message,
    ...(tool_calls === undefined ? {} : { tool_calls: tool_calls.map(withArguments) }),
    ...(role === 'developer' ? { role: 'system' } : {}),
    ...(reasoning === true && reasoning_content !== undefined ? { reasoning: reasoning_content } : {}),
    ...(audio_url === true && Array.isArray(content) ? { content: content.map(withAudioUrl) } : {}),
  }
}

/**
 * Servers read the arguments of earlier calls, and fail on what is no object: llama-server with 500. Clients send them as they came: cut off, or
 * nothing at all for a tool that needs none.
 */
const withArguments = (call: ToolCall): ToolCall =>
  objectInText(call.function.arguments) === undefined ? { ...call, function: { ...call.function, arguments: '{}' } } : call

function withAudioUrl(part: Exclude<ChatMessage['content'], string | null | undefined>[number]): object {
  if (part.type !== 'input_audio') return part
  const { format, data } = part.input_audio
  return { type: 'audio_url', audio_url: { url: `data:audio/${format};base64,${data}` } }
}

/** Has a last message of the assistant gone on with, for servers of Python that begin a new one unless they are told. */
export function continuing(prompt: Prompt): object {
  const last = 'text' in prompt ? undefined : prompt.messages.at(-1)
  return last?.role === 'assistant' && last.tool_calls === undefined ? { continue_final_message: true, add_generation_prompt: false } : {}
}
