import { randomUUID } from 'node:crypto'
import type { Part } from '../../../../domain/stream/part.ts'
import type { GenerateResult } from '../../../../ports/engine.ts'
import type { AnswerReader } from '../dialect.ts'
import { unfinished } from '../faults.ts'
import { numberOf, objectOf, objectsOf, textOf, type Json, type JsonObject } from '../json.ts'
import { TextParts } from '../text-parts.ts'
import { logprobsOf } from './logprobs.ts'
import { Outcome } from './outcome.ts'

/** Reads the stream of `/v1/chat/completions`: an answer ends with a `finish_reason` and then `[DONE]`. */
export class ChatReader implements AnswerReader {
  ended = false
  private readonly onPart: (part: Part) => void
  private readonly outcome: Outcome
  private parts = 0
  /** Ids of the tool calls that have begun, by their index. */
  private readonly calls = new Set<number>()
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
      this.delta(objectOf(choice['delta']), choice['logprobs'])
      this.outcome.finish(choice['finish_reason'], this.calls.size > 0)
    }
  }

  done(): void {
    if (!this.outcome.finished) throw unfinished()
    this.ended = true
  }

  result(): GenerateResult {
    return this.outcome.result(this.parts)
  }

  private delta(delta: JsonObject, logprobs: Json | undefined): void {
    const reasoning = textOf(delta['reasoning_content']) ?? textOf(delta['reasoning'])
    if (reasoning !== undefined) this.send({ kind: 'reasoning', text: reasoning.toWellFormed() })
    this.text(textOf(delta['content']) ?? textOf(delta['refusal']), logprobs)
    objectsOf(delta['tool_calls']).forEach((call) => this.call(call))
  }

  private text(text: string | undefined, logprobs: Json | undefined): void {
    if (logprobs !== undefined && logprobs !== null) this.texts.know(logprobsOf(objectOf(logprobs)['content']))
    if (text !== undefined) this.send(this.texts.next(text))
  }

  private call(call: JsonObject): void {
    const { name, arguments: piece } = objectOf(call['function'])
    const called = textOf(name)
    // Some servers leave the index out: a name begins a call, anything else goes on with the last one.
    const index = numberOf(call['index']) ?? Math.max(0, called === undefined ? this.calls.size - 1 : this.calls.size)
    const text = textOf(piece)?.toWellFormed() ?? ''
    if (this.calls.has(index)) {
      if (text !== '') this.send({ kind: 'tool_call', index, text })
      return
    }
    this.calls.add(index)
    this.send({ kind: 'tool_call', index, id: textOf(call['id']) ?? `call_${randomUUID()}`, name: called ?? '', text })
  }

  private send(part: Part): void {
    this.parts++
    this.onPart(part)
  }
}
