import { hash } from 'node:crypto'
import type { components } from '../../../../generated/openai.ts'
import type { Part, TokenLogprob, ToolCallPart } from '../../../domain/stream/part.ts'
import { isJson } from '../../common/is-json.ts'
import { CustomInput } from './custom-input.ts'
import type { ToolMark } from './tools.ts'

/** Something the model said or called. */
export type OutputItem = components['schemas']['OutputItem']

/** An event without its number: type and fields. */
export type ItemEvent = readonly [type: string, fields: object]

/** An item that is being written. */
export interface Writing {
  /** As it stands. */
  readonly item: OutputItem
  /** Type of the events that bring more of it. */
  readonly deltaType: string
  /** What such an event says beside the piece. */
  readonly place: object
  /** False while it is a call whose arguments are not whole. */
  readonly complete: boolean
  /** Whether a part goes on with it. */
  belongs(part: Part): boolean
  begin(): readonly ItemEvent[]
  /** Takes a piece. @returns what of it goes out now */
  add(part: Part): string
  /** What was held back until the end. */
  rest(): string
  end(status: 'completed' | 'incomplete'): readonly ItemEvent[]
}

/** Where an item is, and what it belongs to. */
export interface WritingPlace {
  readonly task_id: string
  readonly output_index: number
  readonly marks: readonly ToolMark[]
  /** Reasoning comes as a summary. */
  readonly summary: boolean
}

/** Begins the item that a part belongs to. */
export function writingOf(part: Part, place: WritingPlace): Writing {
  if (part.kind === 'text') return message(place)
  if (part.kind === 'reasoning') return place.summary ? summary(place) : reasoning(place)
  return call(part, place)
}

function message({ task_id, output_index }: WritingPlace): Writing {
  const logprobs: TokenLogprob[] = []
  const part = { type: 'output_text', text: '', annotations: [], logprobs }
  const item = {
    id: `msg_${task_id}_${output_index}`,
    type: 'message',
    status: 'in_progress' as NonNullable<OutputItem['status']>,
    role: 'assistant' as const,
    content: [part],
  }
  const place = { item_id: item.id, output_index, content_index: 0 }
  return {
    item,
    deltaType: 'response.output_text.delta',
    place,
    complete: true,
    belongs: ({ kind }) => kind === 'text',
    begin: () => [
      ['response.output_item.added', { output_index, item: { ...item, content: [] } }],
      ['response.content_part.added', { ...place, part: { ...part, text: '', logprobs: [] } }],
    ],
    add: (piece) => {
      part.text += piece.text
      if (piece.kind === 'text' && piece.logprobs !== undefined) logprobs.push(...piece.logprobs)
      return piece.text
    },
    rest: () => '',
    end: (status) => {
      item.status = status
      return [
        ['response.output_text.done', { ...place, text: part.text, logprobs }],
        ['response.content_part.done', { ...place, part }],
        ['response.output_item.done', { output_index, item }],
      ]
    },
  }
}

interface ReasoningForm {
  readonly part: { readonly type: string; text: string }
  /** Name of the list the part is in. */
  readonly list: 'content' | 'summary'
  readonly index: object
  readonly partEvents: string
  readonly textEvents: string
}

function thinking({ task_id, output_index }: WritingPlace, { part, list, index, partEvents, textEvents }: ReasoningForm): Writing {
  const status = 'in_progress' as const
  const item: OutputItem = { id: `rs_${task_id}_${output_index}`, type: 'reasoning', status, summary: [], [list]: [part] }
  const place = { item_id: item.id, output_index, ...index }
  return {
    item,
    deltaType: `${textEvents}.delta`,
    place,
    complete: true,
    belongs: ({ kind }) => kind === 'reasoning',
    begin: () => [
      ['response.output_item.added', { output_index, item: { ...item, [list]: [] } }],
      [`${partEvents}.added`, { ...place, part: { ...part, text: '' } }],
    ],
    add: ({ text }) => {
      part.text += text
      return text
    },
    rest: () => '',
    end: (ended) => {
      item.status = ended
      return [
        [`${textEvents}.done`, { ...place, text: part.text }],
        [`${partEvents}.done`, { ...place, part }],
        ['response.output_item.done', { output_index, item }],
      ]
    },
  }
}

const reasoning = (place: WritingPlace): Writing =>
  thinking(place, {
    part: { type: 'reasoning_text', text: '' },
    list: 'content',
    index: { content_index: 0 },
    partEvents: 'response.content_part',
    textEvents: 'response.reasoning_text',
  })

const summary = (place: WritingPlace): Writing =>
  thinking(place, {
    part: { type: 'summary_text', text: '' },
    list: 'summary',
    index: { summary_index: 0 },
    partEvents: 'response.reasoning_summary_part',
    textEvents: 'response.reasoning_summary_text',
  })

/**
 * The id of a call: engines draw another one in each run, and this one has to outlive a run. Nine characters, letters and digits, for there
 * are templates that take no other.
 */
const callIdOf = (task_id: string, output_index: number): string =>
  BigInt(`0x${hash('sha256', `${task_id} ${output_index}`)}`)
    .toString(36)
    .slice(0, 9)

function call(part: ToolCallPart, { task_id, output_index, marks }: WritingPlace): Writing {
  const known_as = part.name ?? ''
  const mark = marks.find((one) => one.known_as === known_as)
  const input = mark?.custom === true ? new CustomInput() : undefined
  const [kind, type, field] = input === undefined ? ['fc', 'function_call', 'arguments'] : ['ctc', 'custom_tool_call', 'input']
  const events = input === undefined ? 'response.function_call_arguments' : 'response.custom_tool_call_input'
  const item: OutputItem = {
    id: `${kind}_${task_id}_${output_index}`,
    type,
    status: 'in_progress',
    call_id: callIdOf(task_id, output_index),
    name: mark?.name ?? known_as,
    ...(mark?.namespace === undefined ? {} : { namespace: mark.namespace }),
    [field]: '',
  }
  let json = ''
  let text = ''
  const take = (piece: string): string => {
    text += piece
    Object.assign(item, { [field]: text })
    return piece
  }
  const place = { item_id: item.id, output_index }
  return {
    item,
    deltaType: `${events}.delta`,
    place,
    get complete() {
      return isJson(json)
    },
    belongs: (other) => other.kind === 'tool_call' && other.index === part.index,
    begin: () => [['response.output_item.added', { output_index, item: { ...item, [field]: '' } }]],
    add: (piece) => {
      json += piece.text
      return take(input === undefined ? piece.text : input.push(piece.text))
    },
    rest: () => take(input?.finish() ?? ''),
    end: (status) => {
      item.status = status
      const named = input === undefined ? { name: item.name } : {}
      return [
        [`${events}.done`, { ...place, ...named, [field]: text }],
        ['response.output_item.done', { output_index, item }],
      ]
    },
  }
}
