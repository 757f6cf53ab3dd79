import type { Part } from '../../../../domain/stream/part.ts'
import type { GenerateResult } from '../../../../ports/engine.ts'
import type { AnswerReader } from '../dialect.ts'
import { unfinished } from '../faults.ts'
import { numberOf, objectsOf, type JsonObject } from '../json.ts'
import { TextParts } from '../text-parts.ts'
import { Outcome } from './outcome.ts'

/** Reads a stream of choices: an answer ends with a `finish_reason` and then `[DONE]`. */
export abstract class ChoiceReader implements AnswerReader {
  ended = false
  protected readonly texts = new TextParts()
  private readonly onPart: (part: Part) => void
  protected readonly outcome: Outcome
  private parts = 0

  /** @param prompt_tokens an estimate, for servers that tell no usage */
  constructor(onPart: (part: Part) => void, prompt_tokens: number) {
    this.onPart = onPart
    this.outcome = new Outcome(prompt_tokens)
  }

  take(message: JsonObject): void {
    this.outcome.use(message['usage'])
    for (const choice of objectsOf(message['choices'])) {
      if ((numberOf(choice['index']) ?? 0) !== 0) continue
      this.choice(choice)
      this.outcome.finish(choice, this.callsTools())
    }
  }

  done(): void {
    if (!this.outcome.finished) throw unfinished()
    this.ended = true
  }

  result(): GenerateResult {
    return this.outcome.result(this.parts)
  }

  /** Sends what is new in the answer. */
  protected abstract choice(choice: JsonObject): void

  /** Whether the answer has called a tool. */
  protected abstract callsTools(): boolean

  protected send(part: Part): void {
    this.parts++
    this.onPart(part)
  }
}
