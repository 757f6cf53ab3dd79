import { StopSequences } from '../../../domain/stream/stop-sequences.ts'
import type { Part } from '../../../domain/stream/part.ts'
import type { GenerateRequest, GenerateResult } from '../../../ports/engine.ts'
import type { AnswerReader } from '../http/dialect.ts'
import { numberOf, objectOf, textOf, type JsonObject } from '../http/json.ts'

/** Body of `/generate_stream`. Values that stand for none are errors there, and are left out. */
export function generateBody({ sampling, seed, max_tokens }: GenerateRequest, inputs: string): object {
  const { temperature, top_p, top_k, repeat_penalty, frequency_penalty, stop } = sampling
  const greedy = temperature === 0
  return {
    inputs,
    parameters: {
      ...{ max_new_tokens: max_tokens, seed, details: true, frequency_penalty, stop },
      ...(temperature === undefined ? {} : greedy ? { do_sample: false } : { do_sample: true, temperature }),
      ...(greedy || top_p === undefined || top_p <= 0 || top_p >= 1 ? {} : { top_p }),
      ...(greedy || top_k === undefined || top_k <= 0 ? {} : { top_k }),
      ...(repeat_penalty === undefined || repeat_penalty <= 0 ? {} : { repetition_penalty: repeat_penalty }),
    },
  }
}

/** Reads the stream of `/generate_stream`: the last message has `generated_text`. Stop sequences are part of its text, and are cut off here. */
export class TgiReader implements AnswerReader {
  private readonly onPart: (part: Part) => void
  private readonly stops: StopSequences
  private readonly prompt_tokens: number
  private last: JsonObject | undefined
  private tokens = 0

  /** @param prompt_tokens an estimate, for versions that do not tell */
  constructor(onPart: (part: Part) => void, stop: readonly string[] | undefined, prompt_tokens: number) {
    this.onPart = onPart
    this.stops = new StopSequences(stop)
    this.prompt_tokens = prompt_tokens
  }

  get ended(): boolean {
    return this.last !== undefined
  }

  take(message: JsonObject): void {
    const token = objectOf(message['token'])
    if (message['token'] !== undefined) this.tokens++
    if (token['special'] !== true) this.send(this.stops.push(textOf(token['text'])?.toWellFormed() ?? ''))
    if (typeof message['generated_text'] !== 'string') return
    this.last = message
    this.send(this.stops.flush())
  }

  result(): GenerateResult {
    const { finish_reason, generated_tokens, input_length } = objectOf(this.last?.['details'])
    return {
      finish_reason: finish_reason === 'length' && !this.stops.stopped ? 'length' : 'stop',
      tokens_in: numberOf(input_length) ?? this.prompt_tokens,
      tokens_out: numberOf(generated_tokens) ?? this.tokens,
      ...this.stops.told,
      kv_warm: false,
    }
  }

  private send(text: string): void {
    if (text !== '') this.onPart({ kind: 'text', text })
  }
}
