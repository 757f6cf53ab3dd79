import type { Part, TokenLogprob } from './part.ts'
import { StopSequences } from './stop-sequences.ts'

/** Lets parts through until their text has a stop sequence. What is told of tokens goes with the text that they have become. */
export class StoppedParts {
  private readonly stops: StopSequences
  private held: TokenLogprob[] = []

  /** @param before text that is out already, and in which a stop sequence may have begun */
  constructor(stop: readonly string[] | undefined, before = '') {
    this.stops = new StopSequences(stop, before)
  }

  get stopped(): boolean {
    return this.stops.stopped
  }

  /** @see StopSequences.told */
  get told(): StopSequences['told'] {
    return this.stops.told
  }

  /** Takes a part and returns what may go out now. */
  push(part: Part): Part | undefined {
    if (part.kind !== 'text') return part
    if (part.logprobs !== undefined) this.held.push(...part.logprobs)
    return this.partOf(this.stops.push(part.text))
  }

  /** What was held back: nothing comes that would make it a stop sequence. */
  flush(): Part | undefined {
    return this.partOf(this.stops.flush())
  }

  private partOf(text: string): Part | undefined {
    if (text === '') return undefined
    const { held } = this
    if (held.length === 0) return { kind: 'text', text }
    this.held = []
    return { kind: 'text', text, logprobs: held }
  }
}
