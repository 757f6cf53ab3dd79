/** Tokens to text, as the model's tokenizer does it for a run of text tokens. */
export type Detokenize<Token> = (tokens: readonly Token[]) => string

const REPLACEMENT = '\u{fffd}'
/** Tokens of context. A code point has at most four byte tokens, so these always hold a whole one. */
export const CONTEXT = 4
const MAX_TAIL = 32

/**
 * Detokenizes a growing sequence. Text of a token depends on the ones before it (leading space, bytes of one character), so each
 * token is read together with a few earlier ones, and half a character waits for its other bytes.
 */
export class IncrementalDecoder<Token> {
  private readonly detokenize: Detokenize<Token>
  private tail: readonly Token[]
  /** Characters of `tail`'s text that are out already. */
  private sent: number

  /** @param before the last few text tokens of the prompt (`CONTEXT` are enough); none where a special token is the last one */
  constructor(detokenize: Detokenize<Token>, before: readonly Token[]) {
    this.detokenize = detokenize
    this.tail = before
    this.sent = this.textOf(this.tail).length
  }

  /** Takes a token and returns the text that is complete now (possibly none). What never gets complete never comes out. */
  push(token: Token): string {
    this.tail = [...this.tail, token]
    const text = this.textOf(this.tail)
    // Bytes of an unfinished character read as U+FFFD; one that is in the text for good comes out with the next token.
    const end = text.endsWith(REPLACEMENT) ? text.length - 1 : text.length
    const piece = text.slice(this.sent, end)
    this.sent = Math.max(this.sent, end)
    if (this.tail.length >= MAX_TAIL && end === text.length) this.shorten()
    return piece
  }

  private shorten(): void {
    const tail = this.tail.slice(-CONTEXT)
    const { length } = this.textOf(tail)
    // Context without text would make the next token look like the first one and cost it its leading space.
    if (length === 0) return
    this.tail = tail
    this.sent = length
  }

  private textOf(tokens: readonly Token[]): string {
    return tokens.length === 0 ? '' : this.detokenize(tokens)
  }
}
