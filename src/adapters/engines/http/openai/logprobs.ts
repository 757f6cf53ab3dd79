import type { TokenLogprob } from '../../../../domain/stream/part.ts'
import { numberOf, numbersOf, objectOf, objectsOf, type Json, type JsonObject } from '../json.ts'

/** The least logarithm there is on our wire: servers tell of tokens that cannot come, too. */
const least = -100_000

const clamped = (logprob: Json | undefined): number => Math.min(0, Math.max(least, numberOf(logprob) ?? least))

function one(entry: JsonObject): Omit<TokenLogprob, 'top_logprobs'> {
  const { token, logprob, bytes } = entry
  const known = bytes instanceof Array ? { bytes: numbersOf(bytes) } : {}
  return { token: typeof token === 'string' ? token.toWellFormed() : '', logprob: clamped(logprob), ...known }
}

/** `[{token, logprob, bytes, top_logprobs: [...]}]`, as chats have it, and llama.cpp's own call. */
export const logprobsOf = (content: Json | undefined): TokenLogprob[] =>
  objectsOf(content).map((entry) => ({ ...one(entry), top_logprobs: objectsOf(entry['top_logprobs']).map(one) }))

/** `{tokens: [], token_logprobs: [], top_logprobs: [{token: logprob}]}`, as `/v1/completions` has it. */
export function completionLogprobsOf(logprobs: JsonObject): TokenLogprob[] {
  const { tokens, token_logprobs, top_logprobs } = logprobs
  if (!(tokens instanceof Array)) return logprobsOf(logprobs['content'])
  const [values, tops] = [token_logprobs instanceof Array ? token_logprobs : [], top_logprobs instanceof Array ? top_logprobs : []]
  return tokens.map((token, i) => ({
    ...one({ token, logprob: values[i] }),
    top_logprobs: Object.entries(objectOf(tops[i])).map(([top, logprob]) => one({ token: top, logprob })),
  }))
}
