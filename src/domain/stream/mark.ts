import { channelOf, textChannel, type Channel, type Part } from './part.ts'

/** A running hash of parts and how many UTF-8 bytes of text they have. */
export interface Mark {
  readonly bytes: number
  /** FNV-1a, 32 bits, unsigned (Fowler, Noll, Vo). */
  readonly hash: number
}

/** A mark and the channel its last part was in. */
export interface Position extends Mark {
  readonly channel: Channel
}

/** Of no parts. */
export const emptyMark: Mark = { bytes: 0, hash: 0x811c9dc5 }

/** Where every answer begins. */
export const startPosition: Position = { ...emptyMark, channel: textChannel }

/** The mark after some more text of the same channel. */
export const extendMark = (mark: Mark, text: string): Mark => {
  const { bytes, hash } = extend(mark, text, textChannel)
  return { bytes, hash }
}

/** One object and no more: this runs once a token. */
function extend(mark: Mark, text: string, channel: Channel): Position {
  let { hash } = mark
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // ASCII is nearly everything; the rest is worth an encoder.
    if (unit > 0x7f) {
      const more = Buffer.from(text.slice(i), 'utf8')
      for (const byte of more) hash = Math.imul(hash ^ byte, 0x01000193)
      return { bytes: mark.bytes + i + more.length, hash: hash >>> 0, channel }
    }
    hash = Math.imul(hash ^ unit, 0x01000193)
  }
  return { bytes: mark.bytes + text.length, hash: hash >>> 0, channel }
}

/**
 * The position after one more part. Where the channel changes the hash takes its name in, after a NUL; bytes are those of text alone, so the
 * marks of plain text do not depend on there being channels.
 */
export function advance(position: Position, part: Part): Position {
  const channel = channelOf(part, position.channel)
  if (channel === position.channel) return extend(position, part.text, channel)
  const { hash } = extend(position, `\0${channel}`, channel)
  return extend({ bytes: position.bytes, hash }, part.text, channel)
}

/** Whether two marks are the same. */
export const sameMark = (a: Mark, b: Mark): boolean => a.bytes === b.bytes && a.hash === b.hash

/** Splits text after `bytes` UTF-8 bytes; undefined where that is inside a code point or beyond the end. */
export function splitAtByte(text: string, bytes: number): { readonly before: string; readonly after: string } | undefined {
  const encoded = Buffer.from(text, 'utf8')
  const next = encoded[bytes]
  if (bytes > encoded.length || (next !== undefined && (next & 0xc0) === 0x80)) return undefined
  return { before: encoded.subarray(0, bytes).toString('utf8'), after: encoded.subarray(bytes).toString('utf8') }
}
