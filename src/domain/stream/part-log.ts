import { advance, sameMark, splitAtByte, startPosition, type Mark, type Position } from './mark.ts'
import { decodePart, encodePart, withText, type EncodedPart, type Part } from './part.ts'

/** Parts that are joined into one string once they are complete: a string each would take several times the memory of its text. */
export const perBlock = 16

/** A part, its index from 0, and the mark of all parts up to and including it. */
export interface MarkedPart {
  readonly part: Part
  readonly index: number
  readonly mark: Mark
}

/** The parts of one task in order, a line of JSON for each `perBlock` of them, as they are stored. */
export class PartLog {
  count = 0
  /** An array of `perBlock` encoded parts each; the last block of a stored log may have fewer. */
  private readonly blocks: string[] = []
  /** Where each block begins, as far as it is known: a stored log is read when somebody asks for a place in it. */
  private readonly begins: Position[] = [startPosition]
  /** Parts since the last block. */
  private open: EncodedPart[] = []
  /** After the newest part; undefined where a stored log has not been read to its end. */
  private newest: Position | undefined = startPosition

  /** Parts as `joined` gave them. Nothing can be added to these. */
  static of(joined: string): PartLog {
    const log = new PartLog()
    for (const line of joined.split('\n')) if (line !== '') log.blocks.push(line)
    const last = log.blocks.length - 1
    log.count = last < 0 ? 0 : last * perBlock + log.encoded(last).length
    log.newest = undefined
    return log
  }

  /** Adds a part and returns the mark after it. */
  push(part: Part): Mark {
    this.newest = advance(this.position, part)
    this.count++
    if (this.open.push(encodePart(part)) < perBlock) return this.newest
    this.blocks.push(JSON.stringify(this.open))
    this.begins.push(this.newest)
    this.open = []
    return this.newest
  }

  /** After the newest part. */
  get position(): Position {
    return (this.newest ??= this.beginOf(this.blocks.length))
  }

  /** Every part from an index on. */
  *from(index: number): Generator<MarkedPart> {
    const first = Math.floor(index / perBlock)
    let at = first * perBlock
    let position = this.beginOf(Math.min(first, this.blocks.length))
    for (let block = first; block <= this.blocks.length; block++)
      for (const encoded of this.encoded(block)) {
        const part = decodePart(encoded)
        position = advance(position, part)
        if (at >= index) yield { part, index: at, mark: position }
        at++
      }
  }

  /**
   * The last block that begins before these bytes: index of its first part, and where it begins.
   * @param bytes more than 0
   */
  blockBefore(bytes: number): { readonly index: number; readonly begin: Position } {
    while (this.begins.length <= this.blocks.length && (this.begins.at(-1)?.bytes ?? 0) < bytes) this.beginOf(this.begins.length)
    let low = 1
    let high = this.begins.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.begins[middle]?.bytes ?? 0) < bytes) low = middle + 1
      else high = middle
    }
    return { index: (low - 1) * perBlock, begin: this.begins[low - 1] ?? startPosition }
  }

  /** The part that follows a mark, and what is left of the part before where the mark is inside; undefined where the parts have no such mark. */
  after(mark: Mark): { readonly next: number; readonly rest?: MarkedPart } | undefined {
    if (mark.bytes > this.position.bytes) return undefined
    const { index: first, begin } = this.blockBefore(mark.bytes)
    let next = sameMark(begin, mark) ? first : undefined
    let before = begin
    for (const found of this.from(first)) {
      // Pieces of a tool call without text leave the mark where it was.
      if (sameMark(found.mark, mark)) next = found.index + 1
      else if (next !== undefined || before.bytes > mark.bytes) break
      const split = found.mark.bytes > mark.bytes ? splitAtByte(found.part.text, mark.bytes - before.bytes) : undefined
      if (split !== undefined && sameMark(advance(before, { ...found.part, text: split.before }), mark))
        return { next: found.index + 1, rest: { ...found, part: withText(found.part, split.after) } }
      before = advance(before, found.part)
    }
    return next === undefined ? undefined : { next }
  }

  /** All text, without reasoning and tool calls. */
  get text(): string {
    let text = ''
    for (const { part } of this.from(0)) if (part.kind === 'text') text += part.text
    return text
  }

  /** All lines, as they are stored. */
  get joined(): string {
    const lines = this.open.length === 0 ? this.blocks : [...this.blocks, JSON.stringify(this.open)]
    return lines.map((line) => `${line}\n`).join('')
  }

  private encoded(block: number): readonly EncodedPart[] {
    const whole = this.blocks[block]
    return whole === undefined ? this.open : (JSON.parse(whole) as EncodedPart[])
  }

  private beginOf(block: number): Position {
    while (this.begins.length <= block) {
      let position = this.begins.at(-1) ?? startPosition
      for (const part of this.encoded(this.begins.length - 1)) position = advance(position, decodePart(part))
      this.begins.push(position)
    }
    return this.begins[block] ?? startPosition
  }
}
