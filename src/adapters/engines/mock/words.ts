const words = [
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

/** The next word of a mock answer, with the space before it where it is not the first. */
export const word = (next: () => number, first: boolean): string => `${first ? '' : ' '}${words[Math.floor(next() * words.length)] ?? ''}`
