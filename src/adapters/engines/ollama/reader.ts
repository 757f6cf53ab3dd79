import { randomUUID } from 'node:crypto'
import type { Part } from '../../../domain/stream/part.ts'
import type { GenerateResult } from '../../../ports/engine.ts'
import type { AnswerReader } from '../http/dialect.ts'
import { numberOf, objectOf, objectsOf, textOf, type JsonObject } from '../http/json.ts'

/** Reads the lines of `/api/generate` and `/api/chat`: the last one has `done: true`. */
export class OllamaReader implements AnswerReader {
  private readonly onPart: (part: Part) => void
  private last: JsonObject | undefined
  private readonly prompt_tokens: number
  private calls = 0
  private parts = 0

  /** @param prompt_tokens an estimate, for answers that leave the count out */
  constructor(onPart: (part: Part) => void, prompt_tokens: number) {
    this.onPart = (part) => {
      this.parts++
      onPart(part)
    }
    this.prompt_tokens = prompt_tokens
  }

  get ended(): boolean {
    return this.last !== undefined
  }

  take(line: JsonObject): void {
    const message = objectOf(line['message'])
    const reasoning = textOf(message['thinking']) ?? textOf(line['thinking'])
    if (reasoning !== undefined) this.onPart({ kind: 'reasoning', text: reasoning.toWellFormed() })
    const text = textOf(message['content']) ?? textOf(line['response'])
    if (text !== undefined) this.onPart({ kind: 'text', text: text.toWellFormed() })
    for (const { function: called } of objectsOf(message['tool_calls'])) {
      const { name, arguments: given } = objectOf(called)
      const call = { id: `call_${randomUUID()}`, name: textOf(name) ?? '', text: JSON.stringify(given ?? {}).toWellFormed() }
      this.onPart({ kind: 'tool_call', index: this.calls++, ...call })
    }
    if (line['done'] === true) this.last = line
  }

  result(): GenerateResult {
    const { done_reason, prompt_eval_count, eval_count } = this.last ?? {}
    return {
      finish_reason: done_reason === 'length' ? 'length' : this.calls > 0 ? 'tool_calls' : 'stop',
      tokens_in: numberOf(prompt_eval_count) ?? this.prompt_tokens,
      tokens_out: numberOf(eval_count) ?? this.parts,
      kv_warm: false,
    }
  }
}
