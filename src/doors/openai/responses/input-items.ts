import type { components } from '../../../../generated/openai.ts'
import { DomainError } from '../../../domain/errors.ts'
import type { ChatMessage } from '../../../domain/task.ts'
import type { ToolMark } from './tools.ts'

type Page = components['schemas']['InputItemList']
/** An item of the conversation that a response answers. */
export type GivenItem = Page['data'][number]

interface Unnamed {
  readonly prefix: string
  readonly type: string
  readonly [field: string]: unknown
}

/** What a task was asked as items: made anew of its messages, so that nothing is kept twice. */
export function itemsGiven(task_id: string, messages: readonly ChatMessage[], marks: readonly ToolMark[]): GivenItem[] {
  const custom = new Set<string>()
  return messages
    .flatMap((message) => itemsOf(message, marks, custom))
    .map(({ prefix, type, ...fields }, i) => ({ id: `${prefix}_${task_id}_i${i}`, type, status: 'completed', ...fields }))
}

/** @param custom ids of calls of custom tools, known from the calls on */
function itemsOf(message: ChatMessage, marks: readonly ToolMark[], custom: Set<string>): Unnamed[] {
  const { role, content, tool_calls = [], tool_call_id: call_id, reasoning_content } = message
  if (role === 'tool') {
    const [prefix, type] = custom.has(call_id ?? '') ? ['ctco', 'custom_tool_call_output'] : ['fco', 'function_call_output']
    return [{ prefix, type, call_id, output: typeof content === 'string' ? content : partsOf(message) }]
  }
  const thought =
    reasoning_content === undefined
      ? []
      : [{ prefix: 'rs', type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: reasoning_content }] }]
  const said = content === undefined || content === null ? [] : [{ prefix: 'msg', type: 'message', role, content: partsOf(message) }]
  const called = tool_calls.map(({ id, function: { name: known_as, arguments: json } }): Unnamed => {
    const mark = marks.find((one) => one.known_as === known_as)
    const named = { call_id: id, name: mark?.name ?? known_as, ...(mark?.namespace === undefined ? {} : { namespace: mark.namespace }) }
    if (mark?.custom !== true) return { prefix: 'fc', type: 'function_call', ...named, arguments: json }
    custom.add(id)
    const { input } = JSON.parse(json) as { readonly input?: string }
    return { prefix: 'ctc', type: 'custom_tool_call', ...named, input: input ?? '' }
  })
  return [...thought, ...said, ...called]
}

function partsOf({ role, content }: ChatMessage): object[] {
  const type = role === 'assistant' ? 'output_text' : 'input_text'
  const textPart = (text: string): object => ({ type, text, ...(role === 'assistant' ? { annotations: [], logprobs: [] } : {}) })
  if (typeof content === 'string') return [textPart(content)]
  return (content ?? []).map((part) => {
    if (part.type === 'text') return textPart(part.text)
    if (part.type === 'image_url') return { type: 'input_image', image_url: part.image_url.url, detail: part.image_url.detail ?? 'auto' }
    return { type: 'input_audio', input_audio: part.input_audio }
  })
}

/** Which items are wanted. */
export interface PageQuery {
  readonly order?: 'asc' | 'desc' | undefined
  readonly limit?: number | undefined
  /** The last item of the page before. */
  readonly after?: string | undefined
}

/** One page of items. @throws DomainError invalid_params where `after` is none of them */
export function pageOf(items: readonly GivenItem[], { order = 'desc', limit = 20, after }: PageQuery): Page {
  const ordered = order === 'asc' ? items : items.toReversed()
  const before = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after)
  if (after !== undefined && before < 0) throw new DomainError('invalid_params', 'query.after: no such item of this response')
  const data = ordered.slice(before + 1, before + 1 + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: before + 1 + limit < ordered.length,
  }
}
