import type { Part, TokenLogprob } from './part.ts'
import { StopSequences } from './stop-sequences.ts'

/** Hands parts on until their text has a stop sequence. What is told of tokens goes with the text that they have become. */
export class StoppedParts {
  private readonly stops: StopSequences
  private readonly onPart: (part: Part) => void
  private held: TokenLogprob[] = []

  /** @param before text that is out already, and in which a stop sequence may have begun */
  constructor(stop: readonly string[] | undefined, onPart: (part: Part) => void, before = '') {
    this.stops = new StopSequences(stop, before)
    this.onPart = onPart
  }

  get stopped(): boolean {
    return this.stops.stopped
  }

  /** @see StopSequences.told */
  get told(): StopSequences['told'] {
    return this.stops.told
  }

  push(part: Part): void {
    if (part.kind !== 'text') {
      this.onPart(part)
      return
    }
    if (part.logprobs !== undefined) this.held.push(...part.logprobs)
    this.send(this.stops.push(part.text))
  }

  /** Hands on what was held back: nothing comes that would make it a stop sequence. */
  end(): void {
    this.send(this.stops.flush())
  }

  private send(text: string): void {
    if (text === '') return
    const { held } = this
    if (held.length === 0) {
      this.onPart({ kind: 'text', text })
      return
    }
    this.held = []
    this.onPart({ kind: 'text', text, logprobs: held })
  }
}
