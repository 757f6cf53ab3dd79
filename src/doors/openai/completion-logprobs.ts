import type { components } from '../../../generated/openai.ts'
import type { TokenLogprob } from '../../domain/stream/part.ts'

/** How likely tokens were, as old completions have it. */
export type CompletionLogprobs = NonNullable<components['schemas']['Completion']['choices'][number]['logprobs']>

/** Characters of a text as clients of Python count them: code points. */
export const charactersOf = (text: string): number => Array.from(text).length

/** @param offset where the first token begins in the text of the answer, in characters */
export function completionLogprobs(told: readonly TokenLogprob[], offset: number): CompletionLogprobs {
  let end = offset
  return {
    tokens: told.map(({ token }) => token),
    token_logprobs: told.map(({ logprob }) => logprob),
    top_logprobs: told.every(({ top_logprobs }) => top_logprobs.length === 0)
      ? null
      : told.map(({ top_logprobs }) => Object.fromEntries(top_logprobs.map(({ token, logprob }) => [token, logprob]))),
    text_offset: told.map(({ token }) => {
      const begin = end
      end += charactersOf(token)
      return begin
    }),
  }
}
