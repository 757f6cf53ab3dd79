import type { Part, ToolCallPart } from '../../../domain/stream/part.ts'
import type { ErrorEvent, MetricsEvent, TerminalEvent } from '../../../domain/stream/task-events.ts'
import { onePiece } from '../../common/one-piece.ts'
import { responseOf, type ResponseHead, type ResponseObject } from './response.ts'
import { writingOf, type OutputItem, type Writing } from './writing.ts'

/** How an event begins, up to its number. */
const eventBegin = (type: string): string => `event: ${type}\ndata: {"type":"${type}","sequence_number":`

const frame = (type: string, number: number, json: string): string => `${eventBegin(type)}${number}${json}}\n\n`

/** Fields of an object as they follow others. */
const fieldsOf = (fields: object): string => `,${JSON.stringify(fields).slice(1, -1)}`

/** What comes after a place in a text; a character that the place divides is given whole. */
function textAfter(text: string, units: number): string {
  const low = text.charCodeAt(units)
  return text.slice(low >= 0xdc00 && low <= 0xdfff ? units - 1 : units)
}

/** Where the events of a response begin, and how they look. */
export interface FramesFrom {
  /** The number of the last event that the reader has; -1 where it has none, Infinity where it wants none. */
  readonly after: number
}

/**
 * Writes a task as the events of a response: one object for each reader, for it remembers what is open.
 *
 * An event that brings a piece of text takes as many numbers as the piece has UTF-16 units, and has the last of them; any other takes one. So a
 * number names a place in what the model said, whatever pieces it came in, also where the task was run again. A sign of life says the newest
 * state again under the number of the event before it: it is in no log, so it must not take a number.
 */
export class ResponseFrames {
  readonly own = true
  failure: ErrorEvent | undefined
  /** Something before the end was written: until then a failure is a status. */
  begun = false
  readonly output: OutputItem[] = []
  private readonly head: ResponseHead
  private readonly after: number
  /** The number that comes next. */
  private next = 0
  /** Of the newest event that was written. */
  private newest: number
  private created = false
  private inProgress = false
  private running = false
  private ended: TerminalEvent | undefined
  private writing: Writing | undefined
  /** What every event with a piece of it says before its number, and between that and the piece. */
  private deltaBegin = ''
  private place = ''
  /** Calls that have begun, by their index. */
  private readonly calls = new Set<number>()
  /** Parts of calls that wait until the open one is whole. */
  private held: ToolCallPart[] = []

  constructor(head: ResponseHead, { after }: FramesFrom) {
    this.head = head
    this.after = after
    this.newest = Math.max(0, after)
  }

  /** What keeps an idle connection open: the state again. Before the first event it is what every response begins with. */
  get sign(): string {
    this.begun = true
    if (!this.created) return this.begin()
    const state = this.inProgress || this.running ? 'in_progress' : 'queued'
    return frame(`response.${state}`, this.newest, fieldsOf({ response: responseOf(this.head, [], undefined, state) }))
  }

  /** The response as it stands. @param state where it has not ended */
  response(state?: 'queued' | 'in_progress'): ResponseObject {
    return responseOf(this.head, this.output, this.ended, state)
  }

  /** A background response is told of at once, for its id is what its client needs; another begins with what the model says. */
  started(): string {
    this.begun = this.head.told.background
    return this.begun ? this.create() : ''
  }

  metrics({ phase }: MetricsEvent): string {
    this.running ||= phase === 'prefilling' || phase === 'decoding'
    return ''
  }

  part(part: Part): string {
    this.begun = true
    if (this.writing?.belongs(part) === true) return this.add(part)
    if (part.kind === 'tool_call') {
      // Nobody may be told that a call is whole while pieces of it come between those of another.
      if (this.held.length > 0 || this.writing?.complete === false) {
        this.held.push(part)
        return ''
      }
      // What comes after the arguments are whole is no part of them.
      if (this.calls.has(part.index)) return ''
    }
    return this.begin() + this.close('completed') + this.open(part) + this.add(part)
  }

  terminal(event: TerminalEvent): string {
    const whole = 'end' in event && event.end.finish_reason !== 'length'
    const before = 'end' in event ? this.begin() + this.close(whole ? 'completed' : 'incomplete') : this.create() + this.cutOff()
    this.ended = event
    if ('error' in event) this.failure = event.error
    const { status } = this.response()
    // Of a task that has failed the log may have less than this reader; what it has to know is the end.
    this.next = Math.max(this.next, this.after === Infinity ? 0 : this.after + 1)
    const type = status === 'completed' || status === 'incomplete' ? `response.${status}` : 'response.failed'
    return before + this.event(type, () => ({ response: this.response() }))
  }

  private create(): string {
    if (this.created) return ''
    this.created = true
    const { background } = this.head.told
    const state = background ? 'queued' : 'in_progress'
    const response = (): object => ({ response: responseOf(this.head, [], undefined, state) })
    const created = this.event('response.created', response)
    if (background) return created + this.event('response.queued', response)
    this.inProgress = true
    return created + this.event('response.in_progress', response)
  }

  private begin(): string {
    if (this.inProgress) return ''
    const created = this.create()
    if (!this.head.told.background) return created
    this.inProgress = true
    return created + this.event('response.in_progress', () => ({ response: responseOf(this.head, [], undefined) }))
  }

  private open(part: Part): string {
    const { task_id, told } = this.head
    const place = { task_id, output_index: this.output.length, marks: told.marks, summary: told.summary !== null }
    const writing = (this.writing = writingOf(part, place))
    this.deltaBegin = onePiece(eventBegin(writing.deltaType))
    this.place = onePiece(fieldsOf(writing.place), ',"delta":')
    if (part.kind === 'tool_call') this.calls.add(part.index)
    this.output.push(writing.item)
    return this.events(writing.begin())
  }

  private add(part: Part): string {
    const logprobs = part.kind === 'text' && part.logprobs !== undefined ? JSON.stringify(part.logprobs) : '[]'
    return this.delta(this.writing?.add(part) ?? '', logprobs)
  }

  private close(status: 'completed' | 'incomplete'): string {
    const { writing, held } = this
    if (writing === undefined) return ''
    const rest = this.delta(writing.rest())
    this.writing = undefined
    const closed = rest + this.events(writing.end(status))
    const next = held[0]
    if (next === undefined) return closed
    this.held = held.filter(({ index }) => index !== next.index)
    const pieces = held.filter(({ index }) => index === next.index)
    return closed + this.open(next) + pieces.map((piece) => this.add(piece)).join('') + this.close(status)
  }

  /** The task has failed: nothing more of the open item comes, and nobody is told that it is whole. */
  private cutOff(): string {
    this.writing?.end('incomplete')
    this.writing = undefined
    return ''
  }

  /** Data is built by hand: this runs once a token. */
  private delta(text: string, logprobs = '[]'): string {
    const { writing, next, after } = this
    if (text === '' || writing === undefined) return ''
    this.next += text.length
    if (this.next - 1 <= after) return ''
    this.newest = this.next - 1
    const rest = JSON.stringify(after >= next ? textAfter(text, after - next + 1) : text)
    const likely = writing.item.type === 'message' ? `,"logprobs":${logprobs}` : ''
    return `${this.deltaBegin}${this.newest}${this.place}${rest}${likely}}\n\n`
  }

  private events(events: readonly (readonly [string, object])[]): string {
    return events.map(([type, fields]) => this.event(type, () => fields)).join('')
  }

  private event(type: string, fields: () => object): string {
    const number = this.next++
    if (number <= this.after) return ''
    this.newest = number
    return frame(type, number, fieldsOf(fields()))
  }
}
