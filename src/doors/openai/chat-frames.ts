import type { components } from '../../../generated/openai.ts'
import type { Part } from '../../domain/stream/part.ts'
import type { EndEvent, ErrorEvent, TerminalEvent } from '../../domain/stream/task-events.ts'
import { failureMessage } from '../common/failure-message.ts'
import { onePiece } from '../common/one-piece.ts'

type Schemas = components['schemas']
type Usage = Schemas['Usage']
/** A whole answer. */
export type ChatCompletion = Schemas['ChatCompletion']

/** What names an answer. */
export interface AnswerHead {
  readonly task_id: string
  /** Milliseconds since the epoch. */
  readonly accepted_at: number
  /** As it was asked for. */
  readonly model: string
}

/** Seconds since the epoch, as this API tells time. */
export const createdAt = ({ accepted_at }: Pick<AnswerHead, 'accepted_at'>): number => Math.floor(accepted_at / 1000)

/** Tokens that a task used. */
export const usageOf = ({ tokens_in, tokens_out, tokens_in_cached, tokens_reasoning }: EndEvent): Usage => ({
  prompt_tokens: tokens_in,
  completion_tokens: tokens_out,
  total_tokens: tokens_in + tokens_out,
  prompt_tokens_details: { cached_tokens: tokens_in_cached ?? 0 },
  completion_tokens_details: { reasoning_tokens: tokens_reasoning ?? 0 },
})

/** What a stream says of a failure, without an `event:` line, which clients would take for another protocol. */
export function errorFrame(failure: ErrorEvent): string {
  const type = failure.retriable ? 'server_error' : 'invalid_request_error'
  const error = { message: failureMessage(failure), type, param: null, code: failure.code.toLowerCase() }
  return `data: ${JSON.stringify({ error })}\n\n`
}

/** How every piece of an answer begins, up to its choices. @param id with the prefix of its kind */
export const beginningOf = (id: string, object: string, { accepted_at, model }: AnswerHead): string =>
  `data: {"id":"${id}","object":"${object}","created":${createdAt({ accepted_at })},"model":${JSON.stringify(model)},"choices":[`

/** The piece without choices that tells the usage. @param beginning of the answer's pieces */
export const usageFrame = (beginning: string, end: EndEvent): string => `${beginning}],"usage":${JSON.stringify(usageOf(end))}}\n\n`

/** Writes a task as chunks of a chat completion: one object for each answer, for it remembers what it has written. */
export class ChatFrames {
  readonly own = true
  failure: ErrorEvent | undefined
  begun = false
  private readonly beginning: string
  private readonly include_usage: boolean
  /** What stands around each delta. */
  private readonly chunkBegin: string
  private readonly chunkEnd: string
  /** What stands around each text. */
  private readonly textBegin: string
  private readonly textEnd: string

  constructor(head: AnswerHead, include_usage: boolean) {
    this.beginning = beginningOf(`chatcmpl-${head.task_id}`, 'chat.completion.chunk', head)
    this.include_usage = include_usage
    this.chunkBegin = `${this.beginning}{"index":0,"delta":`
    this.chunkEnd = include_usage ? '}],"usage":null}\n\n' : '}]}\n\n'
    this.textBegin = onePiece(this.chunkBegin, '{"content":')
    this.textEnd = onePiece('},"finish_reason":null', this.chunkEnd)
  }

  started(): string {
    return ''
  }

  /** Data is built by hand: this runs once a token. */
  part(part: Part): string {
    const json = JSON.stringify(part.text)
    if (this.begun && part.kind === 'text' && part.logprobs === undefined) return `${this.textBegin}${json}${this.textEnd}`
    const logprobs = part.kind === 'text' && part.logprobs !== undefined ? `,"logprobs":{"content":${JSON.stringify(part.logprobs)}}` : ''
    return this.chunk(`{${this.role()}${deltaOf(part, json)}}`, 'null', logprobs)
  }

  terminal(event: TerminalEvent): string {
    if ('error' in event) {
      this.failure = event.error
      return errorFrame(event.error)
    }
    const { end } = event
    const last = this.chunk(`{${this.begun ? '' : this.role() + '"content":""'}}`, JSON.stringify(end.finish_reason))
    const usage = this.include_usage ? usageFrame(this.beginning, end) : ''
    return `${last}${usage}data: [DONE]\n\n`
  }

  private role(): string {
    if (this.begun) return ''
    this.begun = true
    return '"role":"assistant",'
  }

  private chunk(delta: string, finish_reason: string, logprobs = ''): string {
    return `${this.chunkBegin}${delta}${logprobs},"finish_reason":${finish_reason}${this.chunkEnd}`
  }
}

function deltaOf(part: Part, json: string): string {
  if (part.kind === 'text') return `"content":${json}`
  if (part.kind === 'reasoning') return `"reasoning_content":${json}`
  const begin = part.name === undefined ? '' : `"id":${JSON.stringify(part.id ?? '')},"type":"function",`
  const name = part.name === undefined ? '' : `"name":${JSON.stringify(part.name)},`
  return `"tool_calls":[{"index":${part.index},${begin}"function":{${name}"arguments":${json}}}]`
}
