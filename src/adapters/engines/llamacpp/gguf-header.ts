import { readSync } from 'node:fs'

/** More than the header of any model, bytes: its vocabulary is the largest part, a few MiB. */
const most_header = 512 << 20
const window_bytes = 1 << 20
/** Bytes of a value by its type; 8 is a string, 9 an array. */
const sizes: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8]
const [string_type, array_type] = [8, 9]
/** The least that an entry and a tensor take: an empty name and the fields beside it. */
const [least_entry, least_tensor] = [13, 24]
const most_dimensions = 4
const most_nested = 3

class CorruptHeader extends Error {}

/**
 * Goes through the header of a GGUF file and holds every number in it to what the file has room for: readers of the library believe what it
 * claims. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @param fd of a file that begins with the magic
 * @param size bytes of the file
 * @returns what is wrong; undefined where nothing is
 */
export function headerFault(fd: number, size: number): string | undefined {
  const header = new Header(fd, size)
  try {
    header.skip(4, 'its magic')
    const version = header.u32()
    if (version !== 2 && version !== 3) return `GGUF version ${version} is not known`
    const tensors = header.count(least_tensor, 'tensors')
    const entries = header.count(least_entry, 'entries')
    for (let n = 0; n < entries; n++) {
      header.text('a key')
      header.value(header.u32())
    }
    for (let n = 0; n < tensors; n++) {
      header.text('the name of a tensor')
      const dimensions = header.u32()
      if (dimensions > most_dimensions) return `a tensor claims ${dimensions} dimensions`
      header.skip(8 * dimensions + 12, 'a tensor')
    }
    return undefined
  } catch (error) {
    if (error instanceof CorruptHeader) return error.message
    throw error
  }
}

/** Reads on and on, and nothing beyond the end. */
class Header {
  private readonly fd: number
  private readonly size: number
  private readonly window = Buffer.allocUnsafe(window_bytes)
  private from = 0
  private held = 0
  private at = 0

  constructor(fd: number, size: number) {
    this.fd = fd
    this.size = Math.min(size, most_header)
  }

  skip(bytes: number, what: string): void {
    if (bytes > this.size - this.at) throw new CorruptHeader(`${what} of its header ends beyond the file`)
    this.at += bytes
  }

  u32(): number {
    return this.window.readUInt32LE(this.take(4))
  }

  /** A number of things that take at least so many bytes each. */
  count(least: number, what: string): number {
    const claimed = this.window.readBigUInt64LE(this.take(8))
    if (claimed * BigInt(least) > BigInt(this.size - this.at))
      throw new CorruptHeader(`its header claims ${claimed} ${what}, more than the file has room for`)
    return Number(claimed)
  }

  text(what: string): void {
    this.skip(this.count(1, `bytes of ${what}`), what)
  }

  value(type: number, nested = 0): void {
    const bytes = sizes[type]
    if (bytes !== undefined) this.skip(bytes, 'a value')
    else if (type === string_type) this.text('a text')
    else if (type === array_type && nested < most_nested) {
      const of = this.u32()
      const each = sizes[of]
      const length = this.count(each ?? 8, 'values of a list')
      if (each !== undefined) this.skip(length * each, 'a list')
      else for (let n = 0; n < length; n++) this.value(of, nested + 1)
    } else throw new CorruptHeader(`a value of its header has the unknown type ${type}`)
  }

  /** Where the next bytes are in the window. */
  private take(bytes: number): number {
    const { at } = this
    this.skip(bytes, 'a number')
    if (at < this.from || at + bytes > this.from + this.held) {
      this.from = at
      this.held = readSync(this.fd, this.window, 0, window_bytes, at)
      if (this.held < bytes) throw new CorruptHeader('it ends within its header')
    }
    return at - this.from
  }
}
