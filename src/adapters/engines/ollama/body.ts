import { textOf } from '../../../domain/chat.ts'
import type { ChatMessage } from '../../../domain/task.ts'
import { objectInText } from '../http/json.ts'
import type { AskedOfEngine, Conversation, GenerateRequest, Objection } from '../../../ports/engine.ts'

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

/** Body of `/api/chat`. @param num_ctx where given; another one loads the model again */
export function chatBody(request: GenerateRequest, { messages, tools }: Conversation, model: string, num_ctx: number | undefined): object {
  const { response_format: format, reasoning_effort: effort, tool_choice } = request.chat
  const calls = messages.flatMap(({ tool_calls = [] }) => tool_calls)
  // Clients tell only which call a result is of; templates of models have the name of its tool.
  const names = new Map(calls.map(({ id, function: { name } }) => [id, name]))
  return {
    ...common(request, model, num_ctx),
    ...{ messages: messages.map((message) => messageOf(message, names)), tools: tool_choice === 'none' ? undefined : tools },
    ...(format?.type === 'json_object' ? { format: 'json' } : {}),
    ...(format?.type === 'json_schema' ? { format: format.json_schema?.schema } : {}),
    ...(effort === undefined ? {} : { think: effort === 'none' ? false : effort === 'minimal' ? 'low' : effort }),
  }
}

/** Ollama lets the model choose, or has no tools: anything else it would pass over in silence. */
export function objectionTo({ tool_choice = 'auto', parallel_tool_calls = true }: AskedOfEngine): Objection | undefined {
  if (tool_choice !== 'auto' && tool_choice !== 'none') return { field: 'tool_choice', why: 'ollama has auto and none' }
  return parallel_tool_calls ? undefined : { field: 'parallel_tool_calls', why: 'ollama has no parallel_tool_calls: false' }
}

/** A message in Ollama's form: images beside the text, arguments as an object, and the result of a tool with the name of it. @param names of the tools that were called, by the ids of the calls */
function messageOf(message: ChatMessage, names: ReadonlyMap<string, string>): object {
  const { role, content, tool_calls, reasoning_content, name, tool_call_id = '' } = message
  const images = Array.isArray(content)
    ? content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url.replace(/^data:[^,]*,/, '')] : []))
    : []
  return {
    role: role === 'developer' ? 'system' : role,
    content: textOf(content),
    thinking: reasoning_content,
    ...(role === 'tool' ? { tool_name: name ?? names.get(tool_call_id), tool_call_id: message.tool_call_id } : {}),
    ...(images.length === 0 ? {} : { images }),
    tool_calls: tool_calls?.map(({ id, function: called }) => ({
      id,
      // Of a call that was cut off the model sees that it had none.
      function: { name: called.name, arguments: objectInText(called.arguments) ?? {} },
    })),
  }
}
