import { channelOf, textChannel, type Channel, type Part, withText } from './part.ts'

/** Text of one channel without a change in between. */
interface Passage {
  readonly channel: Channel
  text: string
}

/**
 * Lets the parts of a run that repeats an earlier one through from where that one stopped. The engine gives the same text again, but may cut it
 * into other pieces.
 */
export class Replay {
  private readonly known: Passage[] = []
  private channel: Channel = textChannel

  /** @param known parts that are out already */
  constructor(known: Iterable<Part>) {
    let newest: Passage = { channel: textChannel, text: '' }
    this.known.push(newest)
    for (const part of known) {
      const channel = channelOf(part, newest.channel)
      if (channel !== newest.channel) this.known.push((newest = { channel, text: '' }))
      newest.text += part.text
    }
  }

  /** What of the part is new: all of it, its end, or undefined where it is out already. 'diverged' where it is not the same. */
  take(part: Part): Part | undefined | 'diverged' {
    const channel = channelOf(part, this.channel)
    if (channel !== this.channel) {
      const [passage] = this.known
      // Nothing of a passage may be missing when the next one begins.
      if (passage !== undefined && passage.text !== '') return 'diverged'
      if (this.known.length > 1 && this.known[1]?.channel !== channel) return 'diverged'
      if (passage !== undefined) this.known.shift()
      this.channel = channel
      if (this.known.length === 0) return part
      return this.takeText(withText(part, part.text))
    }
    return this.takeText(part)
  }

  private takeText(part: Part): Part | undefined | 'diverged' {
    const [passage] = this.known
    if (passage === undefined) return part
    const common = Math.min(passage.text.length, part.text.length)
    if (passage.text.slice(0, common) !== part.text.slice(0, common)) return 'diverged'
    passage.text = passage.text.slice(common)
    if (common === part.text.length) return undefined
    if (this.known.length > 1) return 'diverged'
    return common === 0 ? part : withText(part, part.text.slice(common))
  }

  /** Something is out and did not come again; the run must not end before it has. */
  get missing(): boolean {
    return this.known.length > 1 || (this.known[0]?.text ?? '') !== ''
  }
}
