import type { components } from '../../../generated/openai.ts'
import { refuseField } from '../../domain/errors.ts'
import type { ChatMessage, TaskRequest, Tool } from '../../domain/task.ts'
import { defined } from '../common/defined.ts'
import { effortOf } from '../common/effort.ts'
import { functionTool } from '../common/function-tool.ts'
import type { Translated } from '../common/translated.ts'
import { samplingOf, seedOf } from './sampling.ts'

type Schemas = components['schemas']
/** Body of a chat completion. */
export type ChatBody = Schemas['ChatCompletionRequest']

/**
 * A conversation as a task. What is null or empty counts as left out; fields without a meaning here are dropped.
 * @throws DomainError invalid_params where something that would change the meaning cannot be done
 */
export function chatTask(body: ChatBody): Translated {
  if ((body.n ?? 1) !== 1) refuseField('n', 'only one answer is given')
  if ((body.functions ?? []).length > 0) refuseField('functions', 'are gone: use tools, and tool_choice')
  if (body.modalities?.includes('audio') === true) refuseField('modalities', 'only text is answered; leave audio out')
  const tools = toolsOf(body.tools ?? [])
  const most_tokens = body.max_completion_tokens ?? body.max_tokens ?? undefined
  const logprobs = body.logprobs === true
  const request: TaskRequest = {
    workload: 'completion',
    messages: body.messages.map(messageOf),
    determinism: 'best_effort',
    kv_hint: 'reuse',
    output_mode: 'text',
    ...defined('model_ref', body.model),
    ...seedOf(body.seed),
    ...(tools.length === 0 ? {} : { tools, ...defined('tool_choice', toolChoiceOf(body.tool_choice)) }),
    ...(tools.length === 0 ? {} : defined('parallel_tool_calls', body.parallel_tool_calls)),
    ...defined('response_format', formatOf(body.response_format)),
    ...defined('reasoning_effort', effortOf(body.reasoning_effort)),
    ...(logprobs ? { logprobs, ...defined('top_logprobs', body.top_logprobs) } : {}),
    ...samplingOf(body),
  }
  return { request, ...(most_tokens === undefined ? {} : { most_tokens }) }
}

function messageOf(message: Schemas['ChatMessage'], index: number): ChatMessage {
  const { role, name, tool_call_id, reasoning_content } = message
  if (role === 'function') return refuseField(`messages[${index}].role`, 'function is gone: use tool with tool_call_id')
  const calls = (message.tool_calls ?? []).map(({ id, function: { name: of, arguments: text } }) => ({
    id,
    type: 'function' as const,
    function: { name: of, arguments: text },
  }))
  const content = contentOf(message.content, `messages[${index}].content`)
  return {
    role,
    ...(content === undefined && calls.length > 0 ? {} : { content: content ?? '' }),
    ...defined('name', name === '' ? undefined : name),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(role === 'tool' ? defined('tool_call_id', tool_call_id) : {}),
    ...(role === 'assistant' && reasoning_content !== '' ? defined('reasoning_content', reasoning_content) : {}),
  }
}

type Content = NonNullable<ChatMessage['content']>

function contentOf(content: Schemas['ChatMessage']['content'], field: string): Content | undefined {
  if (content === null || content === undefined) return undefined
  if (typeof content === 'string') return content
  const parts = content.map((part, i) => partOf(part, `${field}[${i}]`))
  return parts.length === 0 ? '' : parts
}

function partOf(part: Schemas['ContentPart'], field: string): Exclude<Content, string>[number] {
  if (part.type === 'text' || part.type === 'refusal') return { type: 'text', text: part.text ?? part.refusal ?? '' }
  if (part.type === 'image_url' && part.image_url != null) {
    const { url, detail } = part.image_url
    const known: { detail?: 'low' | 'high' } = detail === 'low' || detail === 'high' ? { detail } : {}
    return { type: 'image_url', image_url: { url, ...known } }
  }
  if (part.type === 'input_audio' && part.input_audio != null) return { type: 'input_audio', input_audio: part.input_audio }
  return refuseField(`${field}.type`, `${part.type} is not taken here: text, image_url and input_audio are`)
}

/** Tools of types that models are not told of here are passed over, as clients expect of servers that have them not. */
function toolsOf(tools: readonly Schemas['ChatTool'][]): Tool[] {
  return tools.flatMap(({ type, function: given }): Tool[] =>
    type === 'function' && given != null ? [functionTool(given.name, given)] : [],
  )
}

function toolChoiceOf(choice: ChatBody['tool_choice']): TaskRequest['tool_choice'] {
  if (choice === null || choice === undefined) return undefined
  if (choice === 'none' || choice === 'auto' || choice === 'required') return choice
  const of = typeof choice === 'string' ? undefined : choice['function']
  const name = typeof of === 'object' && of !== null && 'name' in of ? of.name : undefined
  if (typeof name === 'string') return { type: 'function', function: { name } }
  return refuseField('tool_choice', 'must be none, auto, required or {type: function, function: {name}}')
}

function formatOf(format: ChatBody['response_format']): TaskRequest['response_format'] {
  if (format === null || format === undefined || format.type === 'text') return undefined
  if (format.type === 'json_object') return { type: 'json_object' }
  const given = format.json_schema
  if (given?.schema === undefined || given.schema === null)
    return refuseField('response_format.json_schema.schema', 'type json_schema needs it')
  const { name, description, strict } = given
  return {
    type: 'json_schema',
    json_schema: { name, schema: given.schema, ...defined('description', description), ...defined('strict', strict) },
  }
}
