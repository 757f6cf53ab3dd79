import type { components } from '../../../generated/anthropic.ts'
import { DomainError, refuseField } from '../../domain/errors.ts'
import type { TaskRequest, Tool } from '../../domain/task.ts'
import { defined } from '../common/defined.ts'
import { effortOf } from '../common/effort.ts'
import { functionTool } from '../common/function-tool.ts'
import type { Translated } from '../common/translated.ts'
import { conversationOf } from './conversation.ts'

type Schemas = components['schemas']
/** Body of a message. */
export type MessagesBody = Schemas['MessagesRequest']

/**
 * A conversation as a task. What is null or empty counts as left out; fields without a meaning here are dropped.
 * @throws DomainError invalid_params where something that would change the meaning cannot be done
 */
export function messagesTask(body: MessagesBody): Translated {
  // A client that hears this sends the whole conversation; one that does not would be answered without its beginning.
  if (body.thread !== null && body.thread !== undefined)
    throw new DomainError('invalid_params', 'thread: threads are not kept here; send the whole conversation', { unsupported: 'thread' })
  const tools = toolsOf(body.tools ?? [])
  const stop = (body.stop_sequences ?? []).filter((text) => text !== '')
  const { temperature, top_p, top_k, max_tokens, output_config, output_format } = body
  const sampling = { ...defined('temperature', temperature), ...defined('top_p', top_p), ...defined('top_k', top_k) }
  const request: TaskRequest = {
    ...{ workload: 'completion', determinism: 'best_effort', kv_hint: 'reuse', output_mode: 'text' },
    messages: conversationOf(body.system, body.messages),
    ...defined('model_ref', body.model),
    ...(tools.length === 0 ? {} : { tools, ...choiceOf(body.tool_choice) }),
    ...defined('response_format', formatOf(output_config?.format, 'output_config.format') ?? formatOf(output_format, 'output_format')),
    ...defined('reasoning_effort', thinkingOf(body.thinking) ?? effortOf(output_config?.effort)),
    ...(Object.keys(sampling).length + stop.length === 0 ? {} : { sampling: { ...sampling, ...(stop.length === 0 ? {} : { stop }) } }),
  }
  return { request, ...defined('most_tokens', max_tokens) }
}

/** Tools without a schema are Anthropic's own, which a model here does not know, or placeholders. */
function toolsOf(tools: readonly Schemas['MessageTool'][]): Tool[] {
  return tools.flatMap(({ name, description, input_schema, strict }): Tool[] =>
    input_schema == null ? [] : [functionTool(name, { description, parameters: input_schema, strict })],
  )
}

function choiceOf(choice: MessagesBody['tool_choice']): Pick<TaskRequest, 'tool_choice' | 'parallel_tool_calls'> {
  if (choice === null || choice === undefined) return {}
  const { type, name, disable_parallel_tool_use } = choice
  const parallel = disable_parallel_tool_use === true ? { parallel_tool_calls: false } : {}
  if (type === 'auto' || type === 'none') return { tool_choice: type, ...parallel }
  if (type === 'any') return { tool_choice: 'required', ...parallel }
  if (type === 'tool' && typeof name === 'string') return { tool_choice: { type: 'function', function: { name } }, ...parallel }
  return refuseField('tool_choice', 'must be of type auto, any, tool (with a name) or none')
}

function formatOf(format: Readonly<Record<string, unknown>> | null | undefined, field: string): TaskRequest['response_format'] {
  if (format === null || format === undefined) return undefined
  const { type, schema } = format
  if (type === 'json_schema' && typeof schema === 'object' && schema !== null)
    return { type: 'json_schema', json_schema: { name: 'answer', schema: schema as Record<string, unknown>, strict: true } }
  return refuseField(field, 'must be of type json_schema, with a schema')
}

/** `adaptive` leaves it to the model. */
function thinkingOf(thinking: Readonly<Record<string, unknown>> | null | undefined): TaskRequest['reasoning_effort'] {
  const type = thinking?.['type']
  return type === 'enabled' ? 'high' : type === 'disabled' ? 'none' : undefined
}

/** The session that `metadata.user_id` names, which is JSON where Claude Code sends it. */
export function userSession(metadata: MessagesBody['metadata']): string | undefined {
  const text = metadata?.user_id
  if (typeof text !== 'string' || !text.startsWith('{')) return undefined
  try {
    const { session_id } = JSON.parse(text) as { readonly session_id?: unknown }
    return typeof session_id === 'string' ? session_id : undefined
  } catch {
    // Any text is a user id.
    return undefined
  }
}
