import type { components } from '../../../../generated/openai.ts'
import { refuseField } from '../../../domain/errors.ts'
import type { ChatMessage, TaskRequest } from '../../../domain/task.ts'
import { defined } from '../../common/defined.ts'
import { effortOf } from '../../common/effort.ts'
import type { Translated } from '../../common/translated.ts'
import { samplingOf, seedOf } from '../sampling.ts'
import { messagesOf } from './input.ts'
import type { KeptResponse } from './kept.ts'
import { chosen, offeredTools, type ToolMark } from './tools.ts'

type Schemas = components['schemas']
/** Body of a response. */
export type ResponseBody = Schemas['ResponseRequest']

/** A response as a task, and what is told of it beside that. */
export interface TranslatedResponse extends Translated {
  readonly told: KeptResponse
}

/** What a response goes on from. */
export interface ConversationBefore {
  readonly messages: readonly ChatMessage[]
  /** Of the tools that are called in it. */
  readonly marks: readonly ToolMark[]
}

/** A conversation that begins. */
export const nothingBefore: ConversationBefore = { messages: [], marks: [] }

/**
 * A response as a task. What is null or empty counts as left out; fields without a meaning here are dropped.
 * @param before the conversation that `previous_response_id` names
 * @throws DomainError invalid_params where something that would change the meaning cannot be done
 */
export function responseTask(body: ResponseBody, before: ConversationBefore): TranslatedResponse {
  if (body.conversation != null)
    refuseField('conversation', 'conversations are not kept here; name the response before in previous_response_id')
  if (body.prompt != null) refuseField('prompt', 'prompts are not kept here; send instructions and input')
  if (body.background === true && body.store === false) refuseField('store', 'a background response is kept; leave store out')
  const instructions = body.instructions ?? ''
  const first: ChatMessage[] = instructions === '' ? [] : [{ role: 'system', content: instructions }]
  const messages = [...first, ...before.messages, ...messagesOf(body.input ?? [])]
  if (messages.length === first.length) refuseField('input', 'is required: a text or items')
  const { tools, marks } = offeredTools(body.tools ?? [])
  const choice = chosen(tools, body.tool_choice)
  const logprobs = body.include?.includes('message.output_text.logprobs') === true
  const request: TaskRequest = {
    ...{ workload: 'completion', messages, determinism: 'best_effort', kv_hint: 'reuse', output_mode: 'text' },
    ...defined('model_ref', body.model),
    ...seedOf(body.seed),
    ...choice,
    ...(choice.tools === undefined ? {} : defined('parallel_tool_calls', body.parallel_tool_calls)),
    ...defined('response_format', formatOf(body.text?.format)),
    ...defined('reasoning_effort', effortOf(body.reasoning?.effort)),
    ...(logprobs ? { logprobs, ...defined('top_logprobs', body.top_logprobs) } : {}),
    ...samplingOf({ ...defined('temperature', body.temperature), ...defined('top_p', body.top_p) }),
  }
  const told: KeptResponse = {
    kind: 'response',
    instructed: first.length > 0,
    marks: [...marks, ...before.marks.filter(({ known_as }) => tools.every((tool) => tool.function.name !== known_as))],
    background: body.background === true,
    store: body.store !== false,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    previous_response_id: body.previous_response_id ?? null,
    effort: body.reasoning?.effort ?? null,
    summary: body.reasoning?.summary ?? null,
  }
  return { request, ...defined('most_tokens', body.max_output_tokens), told }
}

type Format = NonNullable<NonNullable<ResponseBody['text']>['format']>

function formatOf(format: Format | null | undefined): TaskRequest['response_format'] {
  if (format === null || format === undefined || format.type === 'text') return undefined
  if (format.type === 'json_object') return { type: 'json_object' }
  const { name, description, schema, strict } = format
  if (schema === null || schema === undefined) return refuseField('text.format.schema', 'type json_schema needs it')
  return {
    type: 'json_schema',
    json_schema: { name: name ?? 'answer', schema, ...defined('description', description), ...defined('strict', strict) },
  }
}

/** The form of a task's answer as the client gave it. */
export function textGiven(format: TaskRequest['response_format']): Schemas['Response']['text'] {
  if (format === undefined) return { format: { type: 'text' } }
  return { format: { type: format.type, ...format.json_schema } }
}
