import type { Part, TokenLogprob } from '../../../../domain/stream/part.ts'
import type { ChatOptions, GenerateRequest, GenerateResult } from '../../../../ports/engine.ts'
import type { AnswerReader } from '../../http/dialect.ts'
import { numberOf, objectOf, textOf, type JsonObject } from '../../http/json.ts'
import { TextParts } from '../../http/text-parts.ts'
import { logprobsOf } from '../../http/openai/logprobs.ts'

/** The largest seed there is for us is the word for none to llama.cpp. */
const random_seed = 4_294_967_295

/** A seed as llama.cpp takes it: never the one that stands for a random one. */
export const seedOf = (seed: number): number => (seed === random_seed ? random_seed - 1 : seed)

/** Body of `/completion`. */
export function completionBody({ sampling, seed, max_tokens, kv, chat }: GenerateRequest, prompt: string): object {
  const { temperature, top_p, top_k, min_p, repeat_penalty, frequency_penalty, presence_penalty, logit_bias, stop } = sampling
  return {
    ...{ prompt, n_predict: max_tokens, seed: seedOf(seed), stream: true, cache_prompt: kv === 'reuse' },
    ...{ temperature, top_p, top_k, min_p, repeat_penalty, frequency_penalty, presence_penalty, logit_bias, stop },
    ...(chat.logprobs === true ? { n_probs: likelyToAsk(chat) } : {}),
  }
}

/** Likely tokens to ask for in each place: it tells of the token itself only where it tells of one at least. */
export const likelyToAsk = ({ top_logprobs = 0 }: ChatOptions): number => Math.max(1, top_logprobs)

/** Parts with no more likely tokens in each place than a client wants. */
export const withLikely =
  (onPart: (part: Part) => void, { top_logprobs = 0 }: ChatOptions) =>
  (part: Part): void =>
    onPart(part.kind === 'text' && part.logprobs !== undefined ? { ...part, logprobs: firstOf(part.logprobs, top_logprobs) } : part)

const firstOf = (logprobs: readonly TokenLogprob[], most: number): TokenLogprob[] =>
  logprobs.map((token) => ({ ...token, top_logprobs: token.top_logprobs.slice(0, most) }))

/** Reads the stream of `/completion`: its end is the message with `stop: true`. */
export class CompletionReader implements AnswerReader {
  private readonly onPart: (part: Part) => void
  private last: JsonObject | undefined
  private readonly texts = new TextParts()

  constructor(onPart: (part: Part) => void) {
    this.onPart = onPart
  }

  get ended(): boolean {
    return this.last !== undefined
  }

  take(message: JsonObject): void {
    if (message['completion_probabilities'] !== undefined) this.texts.know(logprobsOf(message['completion_probabilities']))
    const text = textOf(message['content'])
    if (text !== undefined) this.onPart(this.texts.next(text))
    if (message['stop'] === true) this.last = message
  }

  result(): GenerateResult {
    const { stop_type, stopping_word, tokens_evaluated, tokens_predicted, timings } = this.last ?? {}
    const cached = numberOf(objectOf(timings)['cache_n'])
    return {
      finish_reason: stop_type === 'limit' ? 'length' : 'stop',
      tokens_in: numberOf(tokens_evaluated) ?? 0,
      tokens_out: numberOf(tokens_predicted) ?? 0,
      ...(cached === undefined ? {} : { tokens_in_cached: cached }),
      ...(stop_type === 'word' && typeof stopping_word === 'string' ? { stop_sequence: stopping_word } : {}),
      kv_warm: (cached ?? 0) > 0,
    }
  }
}
