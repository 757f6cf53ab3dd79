import { estimatePrompt } from '../../../domain/prompt-size.ts'
import { estimateTokens } from '../../../domain/task-rules.ts'
import type { Part } from '../../../domain/stream/part.ts'
import type { GenerateRequest, GenerateResult } from '../../../ports/engine.ts'
import type { AnswerReader } from '../http/dialect.ts'
import { numberOf, textOf, type JsonObject } from '../http/json.ts'
import { Outcome } from '../http/openai/outcome.ts'

/** What TensorRT-LLM's `llmapi` calls its input for a stream; it refuses one where it is not decoupled. */
export const streaming = 'streaming'

/** What it calls an input that it samples by. */
export const llmApi = (name: string): string => `sampling_param_${name}`

/** A model is asked only for what it takes: one refuses what it does not know, another ignores it. */
export function generateBody({ prompt, sampling, seed, max_tokens }: GenerateRequest, inputs: ReadonlySet<string>): object {
  const { temperature, top_p, top_k, min_p, repeat_penalty, frequency_penalty, presence_penalty, stop } = sampling
  const text_input = 'text' in prompt ? prompt.text : ''
  const shared = {
    ...{ max_tokens, seed, temperature, top_p, top_k, stop },
    ...{ repetition_penalty: repeat_penalty, frequency_penalty, presence_penalty },
  }
  const sampled = { ...shared, exclude_input_from_output: true }
  const known = {
    ...Object.fromEntries(Object.entries(sampled).map(([name, value]) => [llmApi(name), value])),
    ...{ ...shared, [streaming]: true, text_input, stream: true, random_seed: seed, stop_words: stop },
    // The backend of vLLM has all that it samples by in one text, and tells only what it is asked for.
    ...{ sampling_parameters: JSON.stringify({ ...shared, min_p }), exclude_input_in_output: true },
    ...{ return_finish_reason: true, return_num_input_tokens: true, return_num_output_tokens: true },
  }
  return Object.fromEntries(Object.entries(known).filter(([name]) => name === 'text_input' || inputs.has(name)))
}

/** What the backend of vLLM says of an answer that goes on. */
const goesOn = 'None'

/** Reads `generate_stream`: it has no end mark but the end of its body, unless the model tells why it ends. */
export class TritonReader implements AnswerReader {
  ended = false
  private readonly onPart: (part: Part) => void
  private readonly max_tokens: number
  private readonly cumulative: boolean
  private readonly outcome: Outcome
  private tellsWhy = false
  private counts = false
  private tokens = 0
  /** Of the last message. */
  private text = ''

  /** @param cumulative each message has all of the text so far */
  constructor(onPart: (part: Part) => void, { prompt, max_tokens }: GenerateRequest, cumulative = false) {
    this.onPart = onPart
    this.cumulative = cumulative
    this.max_tokens = max_tokens
    this.outcome = new Outcome(estimatePrompt(prompt))
  }

  take(message: JsonObject): void {
    const { finish_reason, num_input_tokens, num_output_tokens } = message
    this.tokens += numberOf(num_output_tokens) ?? 1
    if (num_output_tokens !== undefined) this.counts = true
    if (num_input_tokens !== undefined) this.outcome.use({ prompt_tokens: num_input_tokens })
    if (finish_reason !== undefined) this.tellsWhy = true
    if (finish_reason !== goesOn) this.outcome.finish({ finish_reason }, false)
    const told = (textOf(message['text_output']) ?? '').toWellFormed()
    const text = this.cumulative ? told.slice(this.text.length) : told
    this.text = told
    if (text !== '') this.onPart({ kind: 'text', text })
  }

  closed(): void {
    this.ended = !this.tellsWhy || this.outcome.finished
  }

  /** Where the model tells nothing one event is one token, unless there was but one: that may be a whole answer. */
  result(): GenerateResult {
    const whole = this.tokens === 1 && !this.counts
    const result = this.outcome.result(whole ? Math.max(1, estimateTokens(this.text)) : this.tokens)
    return this.tellsWhy ? result : { ...result, finish_reason: this.tokens >= this.max_tokens ? 'length' : 'stop' }
  }
}
