import { doorEvents } from '../harness/door-streams.ts'
import type { Capture } from './captures.kit.ts'

/** A call of a tool, in any door's words. */
export interface SaidCall {
  readonly id: string
  readonly name: string
  /** Of the responses door. */
  readonly namespace?: string
  readonly given: unknown
}

/** What a model has said, as a client reads it. */
export interface Said {
  readonly text: string
  readonly calls: readonly SaidCall[]
}

interface ChatCall {
  readonly index?: number
  readonly id?: string
  readonly function: { readonly name?: string; readonly arguments: string }
}
interface ChatMessage {
  readonly role?: string
  readonly content?: unknown
  readonly tool_calls?: readonly ChatCall[]
}
interface Item {
  readonly type?: string
  readonly call_id?: string
  readonly name?: string
  readonly namespace?: string
  readonly arguments?: string
  readonly content?: readonly { readonly text?: string }[]
}
interface Block {
  readonly type: string
  readonly id?: string
  readonly name?: string
  readonly input?: unknown
  readonly text?: string
}

const chatCall = ({ id = '', function: { name = '', arguments: json } }: ChatCall): SaidCall => ({ id, name, given: JSON.parse(json) })
const itemCall = ({ call_id: id = '', name = '', namespace, arguments: json = '' }: Item): SaidCall => ({
  ...{ id, name, given: JSON.parse(json) as unknown },
  ...(namespace === undefined ? {} : { namespace }),
})
const blockCall = ({ id = '', name = '', input }: Block): SaidCall => ({ id, name, given: input })
const textOf = (content: unknown): string => (typeof content === 'string' ? content : '')

/** The calls that a captured request says the model has made. */
export function callsIn({ body }: Capture): readonly SaidCall[] {
  const { input, messages = [] } = body as { readonly input?: readonly Item[]; readonly messages?: readonly ChatMessage[] }
  if (input !== undefined) return input.filter(({ type }) => type === 'function_call').map(itemCall)
  return messages.flatMap(({ role, content, tool_calls = [] }) => {
    const blocks = role === 'assistant' && Array.isArray(content) ? (content as readonly Block[]) : []
    return [...tool_calls.map(chatCall), ...blocks.filter(({ type }) => type === 'tool_use').map(blockCall)]
  })
}

/** Reads a whole answer or a stream of the door that the capture speaks to. */
export function read({ path, body }: Capture, answer: string): Said {
  const streamed = body?.['stream'] === true
  const events = streamed ? doorEvents(answer).map(({ data }) => data) : [JSON.parse(answer) as unknown]
  if (path.includes('/responses')) return readItems(events, streamed)
  return path.includes('/chat/') ? readChat(events, streamed) : readBlocks(events, streamed)
}

function readChat(events: readonly unknown[], streamed: boolean): Said {
  const messages = events.flatMap((event) => {
    const { choices = [] } = event as { readonly choices?: readonly { readonly message?: ChatMessage; readonly delta?: ChatMessage }[] }
    return choices.flatMap(({ message, delta }) => (streamed ? delta : message) ?? [])
  })
  const calls = new Map<number, ChatCall>()
  for (const [i, piece] of messages.flatMap(({ tool_calls = [] }) => tool_calls.map((call, at) => [call.index ?? at, call] as const))) {
    const known = calls.get(i)
    const json = `${known?.function.arguments ?? ''}${piece.function.arguments}`
    calls.set(i, { ...piece, ...known, function: { ...piece.function, ...known?.function, arguments: json } })
  }
  return { text: messages.map(({ content }) => textOf(content)).join(''), calls: [...calls.values()].map(chatCall) }
}

function readItems(events: readonly unknown[], streamed: boolean): Said {
  const last = events.at(-1)
  const { output } = (streamed ? (last as { readonly response: unknown }).response : last) as { readonly output: readonly Item[] }
  const said = output.filter(({ type }) => type === 'message').flatMap(({ content = [] }) => content.map(({ text }) => text ?? ''))
  return { text: said.join(''), calls: output.filter(({ type }) => type === 'function_call').map(itemCall) }
}

interface BlockEvent {
  readonly type: string
  readonly index: number
  readonly content_block?: Block
  readonly delta?: { readonly text?: string; readonly partial_json?: string }
}

function readBlocks(events: readonly unknown[], streamed: boolean): Said {
  const blocks = streamed ? blocksOf(events as readonly BlockEvent[]) : (events[0] as { readonly content: readonly Block[] }).content
  return {
    text: blocks.map(({ text = '' }) => text).join(''),
    calls: blocks.filter(({ type }) => type === 'tool_use').map(blockCall),
  }
}

function blocksOf(events: readonly BlockEvent[]): Block[] {
  return events.flatMap(({ content_block, index }) => {
    if (content_block === undefined) return []
    const deltas = events.flatMap((event) => (event.index === index && event.delta !== undefined ? [event.delta] : []))
    const json = deltas.map(({ partial_json = '' }) => partial_json).join('')
    const text = deltas.map(({ text: piece = '' }) => piece).join('')
    return [{ ...content_block, text, ...(json === '' ? {} : { input: JSON.parse(json) as unknown }) }]
  })
}
