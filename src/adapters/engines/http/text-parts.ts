import type { Part, TokenLogprob } from '../../../domain/stream/part.ts'

/** Makes parts of an answer's text: the logprobs of tokens whose text is not complete yet wait for the text that is. */
export class TextParts {
  private logprobs: readonly TokenLogprob[] = []

  /** Logprobs that belong to the next text. */
  know(logprobs: readonly TokenLogprob[]): void {
    this.logprobs = this.logprobs.length === 0 ? logprobs : [...this.logprobs, ...logprobs]
  }

  /** The next part, with all logprobs that are known by now. */
  next(text: string): Part {
    const known = this.logprobs
    this.logprobs = []
    return { kind: 'text', text: text.toWellFormed(), ...(known.length === 0 ? {} : { logprobs: known }) }
  }
}
