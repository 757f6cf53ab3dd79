import type { SequenceEvaluateOptions, Token, TokenBias } from 'node-llama-cpp'
import { EngineError, type Sampling } from '../../../ports/engine.ts'
import type { LoadedModel } from './loading.ts'

/** Tokens the penalties look back on, as in llama.cpp's own server; those of the prompt are among them. */
const PENALTY_WINDOW = 64

/**
 * Sampling of a request in node-llama-cpp's terms. Everything unset is said to be off: left out it would get the library's defaults
 * (top_k 40, top_p 0.95).
 * @param history prompt and what was generated so far; read at each token
 */
export function evaluateOptions(
  sampling: Sampling,
  seed: number,
  history: readonly Token[],
  tokenBias: TokenBias | undefined,
): SequenceEvaluateOptions {
  const { repeat_penalty: penalty = 1, frequency_penalty: frequencyPenalty = 0, presence_penalty: presencePenalty = 0 } = sampling
  const punishTokens = (): Token[] => history.slice(-PENALTY_WINDOW)
  return {
    temperature: sampling.temperature ?? 0,
    topK: sampling.top_k ?? 0,
    topP: sampling.top_p ?? 1,
    minP: sampling.min_p ?? 0,
    // LLAMA_DEFAULT_SEED, 2^32 - 1, means "draw one" to llama.cpp and would give another text each time.
    seed: seed === 0xffffffff ? 0xfffffffe : seed,
    ...(penalty === 1 && frequencyPenalty === 0 && presencePenalty === 0
      ? {}
      : { repeatPenalty: { penalty, frequencyPenalty, presencePenalty, maxPunishTokens: PENALTY_WINDOW, punishTokens } }),
    ...(tokenBias === undefined ? {} : { tokenBias }),
  }
}

/**
 * The biases of a request; undefined where it has none. Where a grammar holds the answer, tokens that are no text are ruled out: it would
 * take them for what they are called.
 * @param held by a grammar
 * @throws EngineError for what is not a token, and for one that ends the turn, whose bias the library leaves out without a word
 */
export function biasOf(
  { logit_bias }: Sampling,
  { model, newBias, encoder }: Pick<LoadedModel, 'model' | 'newBias' | 'encoder'>,
  held: boolean,
): TokenBias | undefined {
  const entries = Object.entries(logit_bias ?? {})
  if (entries.length === 0 && !held) return undefined
  const biases = newBias()
  const { length } = model.fileInfo.metadata.tokenizer.ggml.tokens
  for (const [id, logit] of entries) {
    const token = Number(id) as Token
    const known = Number.isInteger(token) && token >= 0 && token < length
    if (!known) throw new EngineError(`logit_bias: the model has no token ${id}, its ids go from 0 to ${length - 1}`, { retriable: false })
    if (model.isEogToken(token)) throw new EngineError(`logit_bias: token ${id} ends the turn and takes no bias`, { retriable: false })
    biases.set(token, { logit })
  }
  if (held) biases.set(encoder.controls, 'never')
  return biases
}
