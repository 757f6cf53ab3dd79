import { textOf } from '../../../domain/chat.ts'
import type { EngineError, Prompt } from '../../../ports/engine.ts'
import type { TokenizerReadyMessage } from './protocol.ts'
import { Tokenizer } from './tokenizer.ts'

/** Longest text that is turned into tokens in a few milliseconds, and is too short to end llama.cpp's own search for words, characters. */
const SHORT = 16_384

/** Two tokenizers of a model: short texts never wait for a long one, nor for a new process after a text that ended it. */
export class Tokenizers {
  private readonly short: Tokenizer
  /** Its process starts with the first long text, which does not wait for it. */
  private readonly long: Tokenizer
  private longs: 'none' | 'starting' | 'up' = 'none'

  /** @param args as `Tokenizer` has them */
  constructor(...args: ConstructorParameters<typeof Tokenizer>) {
    this.short = new Tokenizer(...args)
    this.long = new Tokenizer(...args)
  }

  /** @see Tokenizer.start */
  start(): Promise<TokenizerReadyMessage> {
    return this.short.start()
  }

  /** @see Tokenizer.count */
  count(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return this.for(prompt, '').count(prompt, signal)
  }

  /** @see Tokenizer.encode */
  encode(prompt: Prompt, given: string, signal: AbortSignal): Promise<readonly number[]> {
    return this.for(prompt, given).encode(prompt, given, signal)
  }

  /** @see Tokenizer.close */
  async close(reason: EngineError): Promise<void> {
    await Promise.all([this.short.close(reason), this.long.close(reason)])
  }

  private for(prompt: Prompt, given: string): Tokenizer {
    const texts = 'text' in prompt ? [prompt.text] : prompt.messages.map(({ content }) => textOf(content))
    if (texts.reduce((sum, { length }) => sum + length, given.length) <= SHORT) return this.short
    if (this.longs === 'none') this.startLong()
    return this.longs === 'up' ? this.long : this.short
  }

  private startLong(): void {
    this.longs = 'starting'
    this.long.start().then(
      () => (this.longs = 'up'),
      () => (this.longs = 'none'),
    )
  }
}
