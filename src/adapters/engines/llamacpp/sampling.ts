import type { SequenceEvaluateOptions, Token } from 'node-llama-cpp'
import type { Sampling } from '../../../ports/engine.ts'

/** Tokens a repeat penalty looks back on, as in llama.cpp's own server. */
const PENALTY_WINDOW = 64

/**
 * Sampling of a request in node-llama-cpp's terms. Everything unset is said to be off: left out it would get the library's defaults
 * (top_k 40, top_p 0.95).
 * @param history prompt and what was generated so far; read at each token
 */
export function evaluateOptions(sampling: Sampling, seed: number, history: readonly Token[]): SequenceEvaluateOptions {
  const penalty = sampling.repeat_penalty ?? 1
  return {
    temperature: sampling.temperature ?? 0,
    topK: sampling.top_k ?? 0,
    topP: sampling.top_p ?? 1,
    minP: sampling.min_p ?? 0,
    // LLAMA_DEFAULT_SEED, 2^32 - 1, means "draw one" to llama.cpp and would give another text each time.
    seed: seed === 0xffffffff ? 0xfffffffe : seed,
    ...(penalty === 1
      ? {}
      : { repeatPenalty: { penalty, maxPunishTokens: PENALTY_WINDOW, punishTokens: () => history.slice(-PENALTY_WINDOW) } }),
  }
}
