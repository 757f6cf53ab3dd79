import { channelOf, textChannel, type Channel, type Part, type ToolCallPart } from '../../domain/stream/part.ts'
import type { EndEvent, ErrorEvent, TerminalEvent } from '../../domain/stream/task-events.ts'
import { failureMessage } from '../common/failure-message.ts'
import { isJson } from '../common/is-json.ts'
import { onePiece } from '../common/one-piece.ts'

/** What names an answer. */
export interface MessageHead {
  readonly task_id: string
  /** As it was asked for. */
  readonly model: string
  /** As counted at admission. */
  readonly prompt_tokens: number
}

const eventBegin = (type: string): string => `event: ${type}\ndata: {"type":"${type}"`

const event = (type: string, data: string): string => `${eventBegin(type)}${data}}\n\n`

/** Type of a delta, and what it calls its text. */
const deltas = {
  text: '"text_delta","text"',
  reasoning: '"thinking_delta","thinking"',
  tool_call: '"input_json_delta","partial_json"',
} as const

/** Why an answer ended, in this door's words. */
export const stopOf = ({ finish_reason, stop_sequence }: EndEvent) => ({
  stop_reason: stop_sequence === undefined ? reasons[finish_reason] : ('stop_sequence' as const),
  stop_sequence: stop_sequence ?? null,
})

const reasons = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const

/** Tokens that a task used. */
export const messageUsage = ({ tokens_in, tokens_out, tokens_in_cached = 0 }: EndEvent) => ({
  input_tokens: Math.max(0, tokens_in - tokens_in_cached),
  output_tokens: tokens_out,
  cache_read_input_tokens: tokens_in_cached,
  cache_creation_input_tokens: 0,
})

/** Writes a task as the events of a message: one object for each answer, for it remembers which block is open. */
export class MessageFrames {
  readonly own = true
  /** Keeps an idle connection open. */
  readonly sign = event('ping', '')
  failure: ErrorEvent | undefined
  begun = false
  private readonly head: MessageHead
  private channel: Channel = textChannel
  private block = -1
  private open = false
  /** What stands before each text of the open block. */
  private deltaBegin = ''
  /** Calls that have begun, by their index; the last one is open while `input` is there. */
  private readonly calls: number[] = []
  /** The input of the open call so far. */
  private input: string | undefined
  /** Parts of calls that wait until the open one is whole. */
  private held: ToolCallPart[] = []

  constructor(head: MessageHead) {
    this.head = head
  }

  started(): string {
    return ''
  }

  part(part: Part): string {
    if (part.kind !== 'tool_call' || (this.input !== undefined && part.index === this.calls.at(-1))) return this.write(part)
    // A block that has stopped is a whole call to clients.
    if (this.held.length > 0 || (this.input !== undefined && !isJson(this.input))) {
      this.held.push(part)
      return ''
    }
    return this.calls.includes(part.index) ? '' : this.write(part)
  }

  /** Data is built by hand: this runs once a token. */
  private write(part: Part): string {
    const channel = channelOf(part, this.channel)
    const changes = !this.open || channel !== this.channel
    const json = JSON.stringify(part.text)
    const before = changes ? this.begin() + this.close() + this.start(part) : ''
    this.channel = channel
    if (part.kind === 'tool_call') {
      this.input = (this.input ?? '') + part.text
      if (part.text === '') return before
    }
    return `${before}${this.deltaBegin}${json}}}\n\n`
  }

  terminal(terminal: TerminalEvent): string {
    if ('error' in terminal) {
      this.failure = terminal.error
      const type = terminal.error.retriable ? 'overloaded_error' : 'api_error'
      return event('error', `,"error":${JSON.stringify({ type, message: failureMessage(terminal.error) })}`)
    }
    const { end } = terminal
    const delta = `,"delta":${JSON.stringify(stopOf(end))},"usage":${JSON.stringify(messageUsage(end))}`
    return this.begin() + this.close() + event('message_delta', delta) + event('message_stop', '')
  }

  private begin(): string {
    if (this.begun) return ''
    this.begun = true
    const { task_id, model, prompt_tokens } = this.head
    const message = {
      ...{ id: `msg_${task_id}`, type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null },
      usage: { input_tokens: prompt_tokens, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    }
    return event('message_start', `,"message":${JSON.stringify(message)}`)
  }

  private start(part: Part): string {
    this.open = true
    this.block++
    if (part.kind === 'tool_call') {
      this.calls.push(part.index)
      this.input = ''
    }
    const fields = `,"index":${this.block},"delta":{"type":${deltas[part.kind]}:`
    this.deltaBegin = onePiece(eventBegin('content_block_delta'), fields)
    return event('content_block_start', `,"index":${this.block},"content_block":${JSON.stringify(emptyBlock(part))}`)
  }

  private close(): string {
    if (!this.open) return ''
    this.open = false
    this.input = undefined
    const stop = event('content_block_stop', `,"index":${this.block}`)
    const { held } = this
    const [next] = held
    if (next === undefined) return stop
    this.held = held.filter(({ index }) => index !== next.index)
    const pieces = held.filter(({ index }) => index === next.index)
    return stop + pieces.map((piece) => this.write(piece)).join('') + this.close()
  }
}

function emptyBlock(part: Part): object {
  if (part.kind === 'text') return { type: 'text', text: '' }
  if (part.kind === 'reasoning') return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'tool_use', id: part.id ?? '', name: part.name ?? '', input: {} }
}
