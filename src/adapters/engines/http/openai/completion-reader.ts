import type { Part } from '../../../../domain/stream/part.ts'
import type { GenerateResult } from '../../../../ports/engine.ts'
import type { AnswerReader } from '../dialect.ts'
import { unfinished } from '../faults.ts'
import { numberOf, objectOf, objectsOf, textOf, type JsonObject } from '../json.ts'
import { TextParts } from '../text-parts.ts'
import { completionLogprobsOf } from './logprobs.ts'
import { Outcome } from './outcome.ts'

/** Reads the stream of `/v1/completions`: an answer ends with a `finish_reason` and then `[DONE]`. */
export class CompletionReader implements AnswerReader {
  ended = false
  private readonly onPart: (part: Part) => void
  private readonly outcome: Outcome
  private parts = 0
  private readonly texts = new TextParts()

  /** @param prompt_tokens an estimate, for servers that tell no usage */
  constructor(onPart: (part: Part) => void, prompt_tokens: number) {
    this.onPart = onPart
    this.outcome = new Outcome(prompt_tokens)
  }

  take(message: JsonObject): void {
    this.outcome.use(message['usage'])
    for (const choice of objectsOf(message['choices'])) {
      if ((numberOf(choice['index']) ?? 0) !== 0) continue
      if (choice['logprobs'] !== undefined && choice['logprobs'] !== null)
        this.texts.know(completionLogprobsOf(objectOf(choice['logprobs'])))
      const text = textOf(choice['text'])
      if (text !== undefined) this.send(text)
      this.outcome.finish(choice['finish_reason'], false)
    }
  }

  done(): void {
    if (!this.outcome.finished) throw unfinished()
    this.ended = true
  }

  result(): GenerateResult {
    return this.outcome.result(this.parts)
  }

  private send(text: string): void {
    this.parts++
    this.onPart(this.texts.next(text))
  }
}
