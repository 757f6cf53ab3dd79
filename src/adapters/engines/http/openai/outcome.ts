import type { FinishReason } from '../../../../domain/task.ts'
import type { GenerateResult } from '../../../../ports/engine.ts'
import { EngineFault } from '../faults.ts'
import { numberOf, objectOf, textOf, type Json, type JsonObject } from '../json.ts'

/** How an answer ended and what it used, as far as the server tells. */
export class Outcome {
  /** A `finish_reason` has come: the end is near, and `[DONE]` makes it one. */
  finished = false
  private reason: FinishReason = 'stop'
  private stop: string | undefined
  private usage: JsonObject = {}
  private readonly prompt_tokens: number

  /** @param prompt_tokens an estimate, for servers that tell no usage */
  constructor(prompt_tokens: number) {
    this.prompt_tokens = prompt_tokens
  }

  /** Takes the usage of a message: in the last choice's, in one without choices, or nowhere. */
  use(usage: Json | undefined): void {
    const told = objectOf(usage)
    if (Object.keys(told).length > 0) this.usage = told
  }

  /** @throws EngineFault where the reason is none of an answer that is whole */
  finish({ finish_reason: reason, stop_reason, matched_stop }: JsonObject, calls_tools: boolean): void {
    if (reason === undefined || reason === null || reason === '') return
    if (reason === 'content_filter') throw new EngineFault('refused', 'the engine filtered the rest of the answer')
    if (typeof reason !== 'string' || broken.includes(reason)) throw new EngineFault('failed', 'the engine gave the answer up')
    this.finished = true
    // vLLM and SGLang; where a token ended the text it is a number.
    this.stop = textOf(stop_reason ?? matched_stop)
    this.reason = reason === 'length' ? 'length' : calls_tools ? 'tool_calls' : 'stop'
  }

  /** @param parts tokens of the answer as far as parts tell, for servers that tell no usage */
  result(parts: number): GenerateResult {
    const { usage } = this
    const cached = numberOf(objectOf(usage['prompt_tokens_details'])['cached_tokens'])
    const reasoning = numberOf(objectOf(usage['completion_tokens_details'])['reasoning_tokens']) ?? numberOf(usage['reasoning_tokens'])
    return {
      finish_reason: this.reason,
      tokens_in: numberOf(usage['prompt_tokens']) ?? this.prompt_tokens,
      tokens_out: numberOf(usage['completion_tokens']) ?? parts,
      ...(cached === undefined ? {} : { tokens_in_cached: cached }),
      ...(reasoning === undefined ? {} : { tokens_reasoning: reasoning }),
      ...(this.reason === 'stop' && this.stop !== undefined ? { stop_sequence: this.stop } : {}),
      kv_warm: (cached ?? 0) > 0,
    }
  }
}

/** Words of servers for an answer that they did not bring to its end. */
const broken: readonly string[] = ['abort', 'error', 'cancelled', 'timeout', 'insufficient_system_resource']
