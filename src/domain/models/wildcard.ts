/** Whether the pattern stands for more than one name. */
export const isWildcard = (pattern: string): boolean => pattern.includes('*')

/** Characters of a pattern that a name has to have: the more there are, the more it says. */
export const lengthOf = (pattern: string): number => pattern.replaceAll('*', '').length

/** Whether a name fits a pattern, in which each `*` stands for any characters, or for none. */
export function fits(pattern: string, name: string): boolean {
  const [first = '', ...pieces] = pattern.split('*')
  const last = pieces.pop()
  if (last === undefined) return pattern === name
  const end = name.length - last.length
  if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false
  // The earliest place of each piece leaves most room to the others.
  let from = first.length
  for (const piece of pieces) {
    const at = name.indexOf(piece, from)
    if (at === -1 || at + piece.length > end) return false
    from = at + piece.length
  }
  return true
}
