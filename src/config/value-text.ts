/** Longest value that a message shows in full, characters. */
const longest = 80

/** A value as a message shows it: nothing of what is in a mapping or a list, nor the credentials in a URL. */
export function valueText(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a mapping'
  const text = typeof value === 'string' ? JSON.stringify(value).replace(/\/\/.*@/, '//...@') : String(value)
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}
