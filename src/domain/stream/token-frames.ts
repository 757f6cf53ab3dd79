import { parseTokenFrame, splitFrames, tokenFrame } from './frames.ts'
import { emptyMark, extendMark, parseMark, type TextMark } from './text-hash.ts'

/** Frames that are joined into one string once they are complete: a string each would take several times the memory of its text. */
const perBlock = 16

/** The token frames of one task, in order, each built once and kept as it goes over the wire. */
export class TokenFrames {
  /** Of the whole text. */
  mark = emptyMark
  count = 0
  /** Each `perBlock` frames back to back; the last one of a stored log may have fewer. */
  private blocks: string[] = []
  /** Frames since the last block. */
  private open: string[] = []
  /** Text of each block; empty for a stored log, whose text is in its frames. */
  private said: string[] = []
  private pieces: string[] = []

  /** Frames as `joined` gave them. Nothing can be added to these. */
  static of(joined: string): TokenFrames {
    const frames = new TokenFrames()
    for (let at = 0; at < joined.length;) {
      let end = at
      for (let n = 0; n < perBlock && end < joined.length; n++, frames.count++) end = endOfFrame(joined, end)
      frames.blocks.push(joined.slice(at, end))
      at = end
    }
    frames.mark = frames.markAt(frames.count - 1)
    return frames
  }

  /** Adds a token: whole code points, not empty. */
  push(text: string): void {
    this.mark = extendMark(this.mark, text)
    this.pieces.push(text)
    this.open.push(tokenFrame(this.mark, text, this.count++))
    if (this.open.length < perBlock) return
    this.blocks.push(this.open.join(''))
    this.said.push(this.pieces.join(''))
    this.open = []
    this.pieces = []
  }

  /** All text. */
  get text(): string {
    if (this.said.length === this.blocks.length) return this.said.join('') + this.pieces.join('')
    return this.list.map((frame) => parseTokenFrame(frame).text).join('')
  }

  get joined(): string {
    return this.blocks.join('') + this.open.join('')
  }

  get list(): string[] {
    return splitFrames(this.joined)
  }

  /** The frame of the token with this index; empty where there is none. */
  at(index: number): string {
    if (index >= this.count) return ''
    const block = this.blocks[Math.floor(index / perBlock)]
    if (block === undefined) return this.open[index % perBlock] ?? ''
    const start = startOfFrame(block, index % perBlock)
    return block.slice(start, endOfFrame(block, start))
  }

  /** The mark of the text up to and including this token; of no text where there is no such token. */
  markAt(index: number): TextMark {
    const frame = index < 0 ? '' : this.at(index)
    return parseMark(frame.slice('id: '.length, frame.indexOf('\n'))) ?? emptyMark
  }

  /**
   * Frames from this token on, joined: at least one if there is one, and none that begins after `max_chars`.
   * @returns also the index of the token that comes next
   */
  from(index: number, max_chars: number): { readonly frames: string; readonly next: number } {
    let frames = ''
    let next = index
    while (next < this.count && frames.length < max_chars) {
      const whole = next % perBlock === 0 ? this.blocks[next / perBlock] : undefined
      if (whole !== undefined && frames.length + whole.length <= max_chars) {
        frames += whole
        next = Math.min(this.count, next + perBlock)
      } else frames += this.at(next++)
    }
    return { frames, next }
  }
}

/** Where the frame that begins at `start` ends. Data is one line, so an empty line is nowhere but at the end. */
function endOfFrame(frames: string, start: number): number {
  const end = frames.indexOf('\n\n', start)
  return end < 0 ? frames.length : end + 2
}

/** Where the n-th of some frames begins. */
function startOfFrame(frames: string, n: number): number {
  let start = 0
  for (let i = 0; i < n; i++) start = endOfFrame(frames, start)
  return start
}
