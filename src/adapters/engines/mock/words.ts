import { extendMark } from '../../../domain/stream/mark.ts'
import type { Sampling } from '../../../ports/engine.ts'

/** What a mock answer is made of: a token each, its id is its place. */
export const words: readonly string[] = [
  'the',
  'river',
  'keeps',
  'its',
  'slow',
  'silver',
  'promise',
  'and',
  'a',
  'small',
  'café',
  'by',
  'the',
  'old',
  'bridge',
  'opens',
  'at',
  'dawn',
  'naïve',
  'swans',
  '🦢',
  'drift',
  'past',
  'lanterns',
  'while',
  'someone',
  'hums',
  'über',
  'quiet',
  'water',
  '橋',
  'again',
]

/** A generator of numbers in [0, 1) from a 32-bit seed: mulberry32 (T. Ettinger). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A generator of its own for each purpose, so that what one draws does not change what another does. */
export const randomFor = (seed: number, purpose: string): (() => number) => random(extendMark({ bytes: 0, hash: seed }, purpose).hash)

/** Any word. */
export const randomWord = (next: () => number): string => words[Math.floor(next() * words.length)] ?? ''

/** The next word of a mock answer, with the space before it where it is not the first. */
export const word = (next: () => number, first: boolean): string => `${first ? '' : ' '}${randomWord(next)}`

/**
 * Draws the words of one answer as `word` does, each as likely as the sampling makes it: a word's logit is 0 and its id is its place in the
 * list, a bias is added to it, and penalties are taken off for each time the word came, or once.
 */
export function wordsFor(
  next: () => number,
  { logit_bias, frequency_penalty = 0, presence_penalty = 0 }: Sampling,
): (first: boolean) => string {
  if (logit_bias === undefined && frequency_penalty === 0 && presence_penalty === 0) return (first) => word(next, first)
  const biases = words.map((_, id) => logit_bias?.[id] ?? 0)
  const counts = words.map(() => 0)
  return (first) => {
    const logits = biases.map((bias, id) => {
      const count = counts[id] ?? 0
      return bias - count * frequency_penalty - (count > 0 ? presence_penalty : 0)
    })
    const most = Math.max(...logits)
    const weights = logits.map((logit) => Math.exp(logit - most))
    let at = next() * weights.reduce((sum, weight) => sum + weight, 0)
    const found = weights.findIndex((weight) => (at -= weight) < 0)
    const id = found < 0 ? weights.lastIndexOf(1) : found
    counts[id] = (counts[id] ?? 0) + 1
    return `${first ? '' : ' '}${words[id] ?? ''}`
  }
}
