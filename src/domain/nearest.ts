/** Changes of one letter (one more, one less, another, two exchanged) that make one word the other: optimal string alignment. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min(changed, exchanged, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** Most known words that are compared with one that is not known. */
const most = 1000

/** The known words that may have been meant, the likeliest first: at most a third of the longer word is changed, letters' case aside. */
export function near(word: string, known: readonly string[]): string[] {
  // Nobody misspells a word of this length, and the distance of two words takes the product of their lengths.
  if (word.length > 64) return []
  return known
    .slice(0, most)
    .filter((candidate) => candidate.length <= 96)
    .map((candidate) => ({ candidate, changes: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, changes }) => changes * 3 <= Math.max(word.length, candidate.length))
    .sort((a, b) => a.changes - b.changes)
    .map(({ candidate }) => candidate)
}

/** The known word that was probably meant, if any. */
export const nearest = (word: string, known: readonly string[]): string | undefined => near(word, known)[0]

/** `did you mean capacity?`, or what there is where nothing is near. */
export function hint(word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  return meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`
}
