/**
 * A text in pieces of about that many UTF-16 code units, none of which ends in half a surrogate pair that is whole in the text. What is done
 * with a large text piece by piece can be left for something else in between, and stays in the processor's cache.
 */
export function* textPieces(text: string, units: number): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = at + units
    const last = text.charCodeAt(end - 1)
    if (last >= 0xd800 && last <= 0xdbff) end++
    yield text.slice(at, end)
    at = end
  }
}

/** What stands between the quotes where JSON writes a text. */
export const jsonInside = (text: string): string => JSON.stringify(text).slice(1, -1)
