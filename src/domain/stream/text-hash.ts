/** A running hash of text and how many UTF-8 bytes it covers. */
export interface TextMark {
  readonly bytes: number
  /** FNV-1a, 32 bits, unsigned (Fowler, Noll, Vo). */
  readonly hash: number
}

/** Of no text. */
export const emptyMark: TextMark = { bytes: 0, hash: 0x811c9dc5 }

/** The mark after some more text. */
export function extendMark(mark: TextMark, text: string): TextMark {
  let { bytes, hash } = mark
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // ASCII is nearly everything; the rest is worth an encoder.
    if (unit > 0x7f) return extendBytes({ bytes, hash }, Buffer.from(text.slice(i), 'utf8'))
    hash = Math.imul(hash ^ unit, 0x01000193)
    bytes++
  }
  return { bytes, hash: hash >>> 0 }
}

function extendBytes(mark: TextMark, more: Uint8Array): TextMark {
  let { hash } = mark
  for (const byte of more) hash = Math.imul(hash ^ byte, 0x01000193)
  return { bytes: mark.bytes + more.length, hash: hash >>> 0 }
}

/** `<bytes>-<eight hex digits>`: the id of a token frame. */
export const formatMark = (mark: TextMark): string => `${mark.bytes}-${mark.hash.toString(16).padStart(8, '0')}`

/** Undefined where it is not the id of a token frame. */
export function parseMark(id: string): TextMark | undefined {
  const match = /^(0|[1-9][0-9]{0,14})-([0-9a-f]{8})$/.exec(id)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { bytes: Number(match[1]), hash: Number.parseInt(match[2], 16) }
}

/** Splits text after `bytes` UTF-8 bytes; undefined where that is inside a code point or beyond the end. */
export function splitAtByte(text: string, bytes: number): { readonly before: string; readonly after: string } | undefined {
  const encoded = Buffer.from(text, 'utf8')
  const next = encoded[bytes]
  if (bytes > encoded.length || (next !== undefined && (next & 0xc0) === 0x80)) return undefined
  return { before: encoded.subarray(0, bytes).toString('utf8'), after: encoded.subarray(bytes).toString('utf8') }
}
