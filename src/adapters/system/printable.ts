/**
 * Control and format characters beyond those that JSON escapes (C1, direction overrides, invisible ones) and the separators at which some
 * terminals break lines.
 */
const unprintable = /[\u007f\p{Cf}\u0080-\u009f\u2028\u2029]/gu
const ascii = /^[\n\x20-\x7e]*$/

/** A line of JSON in which such characters are escaped, which means the same. */
export const printable = (json: string): string => (ascii.test(json) ? json : json.replace(unprintable, escaped))

const escaped = (char: string): string =>
  Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
