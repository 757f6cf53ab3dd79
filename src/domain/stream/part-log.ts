import { advance, startPosition, type Mark, type Position } from './mark.ts'
import { decodePart, encodePart, type Part } from './part.ts'

/** Parts that are joined into one string once they are complete: a string each would take several times the memory of its text. */
export const perBlock = 16

/** A part, its index from 0, and the mark of all parts up to and including it. */
export interface MarkedPart {
  readonly part: Part
  readonly index: number
  readonly mark: Mark
}

/** The parts of one task in order, as the lines they are stored as. */
export class PartLog {
  count = 0
  /** Lines of `perBlock` parts each; the last block of a stored log may have fewer. */
  private readonly blocks: string[] = []
  /** Where each block begins, as far as it is known: a stored log is read when somebody asks for a place in it. */
  private readonly begins: Position[] = [startPosition]
  /** Lines since the last block. */
  private open: string[] = []
  /** After the newest part; undefined where a stored log has not been read to its end. */
  private newest: Position | undefined = startPosition

  /** Parts as `joined` gave them. Nothing can be added to these. */
  static of(joined: string): PartLog {
    const log = new PartLog()
    for (let at = 0; at < joined.length;) {
      let end = at
      for (let n = 0; n < perBlock && end < joined.length; n++, log.count++) end = endOfLine(joined, end)
      log.blocks.push(joined.slice(at, end))
      at = end
    }
    log.newest = undefined
    return log
  }

  /** Adds a part and returns the mark after it. */
  push(part: Part): Mark {
    this.newest = advance(this.position, part)
    this.count++
    if (this.open.push(`${encodePart(part)}\n`) < perBlock) return this.newest
    this.blocks.push(this.open.join(''))
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
      for (const line of this.lines(block)) {
        const part = decodePart(line)
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

  /** All text, without reasoning and tool calls. */
  get text(): string {
    let text = ''
    for (const { part } of this.from(0)) if (part.kind === 'text') text += part.text
    return text
  }

  /** All lines, as they are stored. */
  get joined(): string {
    return this.blocks.join('') + this.open.join('')
  }

  private lines(block: number): string[] {
    const whole = this.blocks[block]
    return whole === undefined ? this.open : linesOf(whole)
  }

  private beginOf(block: number): Position {
    while (this.begins.length <= block) {
      let position = this.begins.at(-1) ?? startPosition
      for (const line of this.lines(this.begins.length - 1)) position = advance(position, decodePart(line))
      this.begins.push(position)
    }
    return this.begins[block] ?? startPosition
  }
}

/** Where the line that begins at `start` ends. JSON has no raw newline. */
function endOfLine(lines: string, start: number): number {
  const end = lines.indexOf('\n', start)
  return end < 0 ? lines.length : end + 1
}

const linesOf = (block: string): string[] => block.split('\n').filter((line) => line !== '')
