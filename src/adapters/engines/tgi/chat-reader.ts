import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Part } from '../../../domain/stream/part.ts'
import { StoppedParts } from '../../../domain/stream/stopped-parts.ts'
import type { GenerateRequest, GenerateResult } from '../../../ports/engine.ts'
import { numberOf, objectOf, type JsonObject } from '../http/json.ts'
import { ChatReader } from '../http/openai/chat-reader.ts'

/**
 * Reads the stream of TGI's `/v1/chat/completions` (`router/src/chat.rs`). Stop sequences are part of its text, and are cut off here. An answer
 * that calls a tool has no `finish_reason`: its usage, which comes with its last token, stands for one.
 */
export class TgiChatReader extends ChatReader {
  private readonly stops: StoppedParts
  private readonly flush: () => void
  private readonly max_tokens: number

  constructor(onPart: (part: Part) => void, { prompt, sampling, max_tokens }: GenerateRequest) {
    const stops = new StoppedParts(sampling.stop)
    const give = (part: Part | undefined): void => {
      if (part !== undefined) onPart(part)
    }
    super((part) => give(stops.push(part)), estimatePrompt(prompt))
    this.stops = stops
    this.flush = () => give(stops.flush())
    this.max_tokens = max_tokens
  }

  override take(message: JsonObject): void {
    super.take(message)
    const used = numberOf(objectOf(message['usage'])['completion_tokens'])
    if (used === undefined || this.outcome.finished) return
    this.outcome.finish({ finish_reason: used < this.max_tokens ? 'stop' : 'length' }, this.callsTools())
  }

  override done(): void {
    super.done()
    this.flush()
  }

  override result(): GenerateResult {
    const result = super.result()
    return this.stops.stopped ? { ...result, finish_reason: 'stop', ...this.stops.told } : result
  }
}
