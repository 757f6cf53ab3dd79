import type { TextPart, TokenLogprob } from '../../../domain/stream/part.ts'
import { randomWord } from './words.ts'

type Likely = TokenLogprob['top_logprobs'][number]

const likely = (token: string, probability: number): Likely => ({
  token,
  logprob: Math.round(Math.log(probability) * 1e6) / 1e6,
  bytes: [...Buffer.from(token)],
})

/**
 * How likely a token was, made up as a model would tell it: the first of the list takes 0.5 to 0.95 of what there is, each further one about
 * half of the rest; the token itself is mostly the first, now and then the second or third.
 * @param top how many to list, most likely first
 */
export function withLogprobs(part: TextPart, top: number, next: () => number): TextPart {
  const rank = Math.max(0, Math.floor(next() * 5) - 2)
  const tokens = new Set([part.text])
  while (tokens.size < Math.max(top, rank + 1)) {
    const other = ` ${randomWord(next)}`
    // There are fewer words than a list may be long.
    tokens.add(tokens.has(other) ? `${other}${tokens.size}` : other)
  }
  const [own = '', ...others] = tokens
  const order = [...others.slice(0, rank), own, ...others.slice(rank)]
  let left = 1
  const list = order.map((token, at) => {
    const probability = left * (at === 0 ? 0.5 + 0.45 * next() : 0.4 + 0.2 * next())
    left -= probability
    return likely(token, probability)
  })
  const chosen = list[rank] ?? likely(own, 1)
  return { ...part, logprobs: [{ ...chosen, top_logprobs: list.slice(0, top) }] }
}
