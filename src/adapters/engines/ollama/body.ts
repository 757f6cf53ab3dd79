import { textOf } from '../../../domain/chat.ts'
import type { ChatMessage } from '../../../domain/task.ts'
import type { ChatOptions, Conversation, GenerateRequest } from '../../../ports/engine.ts'
import { EngineFault } from '../http/faults.ts'

/** What `/api/generate` and `/api/chat` share. A prompt over the context is refused: by itself Ollama cuts it silently. */
function common({ sampling, seed, max_tokens }: GenerateRequest, model: string, num_ctx: number | undefined): object {
  const { temperature, top_p, top_k, min_p, repeat_penalty, frequency_penalty, presence_penalty, stop } = sampling
  return {
    ...{ model, stream: true, truncate: false, shift: false },
    options: {
      ...{ num_predict: max_tokens, num_ctx, seed, temperature, top_p, top_k, min_p },
      ...{ repeat_penalty, frequency_penalty, presence_penalty, stop },
    },
  }
}

/** Body of `/api/generate`. @param num_ctx where given; another one loads the model again */
export const generateBody = (request: GenerateRequest, prompt: string, model: string, num_ctx: number | undefined): object => ({
  ...common(request, model, num_ctx),
  ...{ prompt, raw: true },
})

/** Body of `/api/chat`. @param num_ctx where given; another one loads the model again. @throws EngineFault for a choice of tools that Ollama has not */
export function chatBody(request: GenerateRequest, { messages, tools }: Conversation, model: string, num_ctx: number | undefined): object {
  const { response_format: format, reasoning_effort: effort } = request.chat
  return {
    ...common(request, model, num_ctx),
    ...{ messages: messages.map(messageOf), tools: offered(tools, request.chat) },
    ...(format?.type === 'json_object' ? { format: 'json' } : {}),
    ...(format?.type === 'json_schema' ? { format: format.json_schema?.schema } : {}),
    ...(effort === undefined ? {} : { think: effort === 'none' ? false : effort === 'minimal' ? 'low' : effort }),
  }
}

/** Ollama lets the model choose, or has no tools; what it would pass over in silence is refused. */
function offered(tools: Conversation['tools'], { tool_choice = 'auto', parallel_tool_calls = true }: ChatOptions): Conversation['tools'] {
  if (tool_choice === 'none') return undefined
  if (tool_choice !== 'auto') throw new EngineFault('refused', 'ollama has no tool_choice but auto and none')
  if (!parallel_tool_calls) throw new EngineFault('refused', 'ollama has no parallel_tool_calls: false')
  return tools
}

/** A message in Ollama's form: images beside the text, arguments as an object. */
function messageOf({ role, content, tool_calls, reasoning_content, name }: ChatMessage): object {
  const images = Array.isArray(content)
    ? content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url.replace(/^data:[^,]*,/, '')] : []))
    : []
  return {
    role: role === 'developer' ? 'system' : role,
    content: textOf(content),
    thinking: reasoning_content,
    ...(role === 'tool' ? { tool_name: name } : {}),
    ...(images.length === 0 ? {} : { images }),
    tool_calls: tool_calls?.map((call) => ({ function: { name: call.function.name, arguments: argumentsOf(call.function.arguments) } })),
  }
}

function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A call that was cut off: the model sees that it had no arguments.
    return {}
  }
}
