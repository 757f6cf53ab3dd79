import { randomUUID } from 'node:crypto'
import { numberOf, objectOf, objectsOf, textOf, type Json, type JsonObject } from '../json.ts'
import { ChoiceReader } from './choice-reader.ts'
import { logprobsOf } from './logprobs.ts'

/** Reads the stream of `/v1/chat/completions`. */
export class ChatReader extends ChoiceReader {
  /** Ids of the tool calls that have begun, by their index. */
  private readonly calls = new Set<number>()

  protected override choice(choice: JsonObject): void {
    this.delta(objectOf(choice['delta']), choice['logprobs'])
  }

  protected override callsTools(): boolean {
    return this.calls.size > 0
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
}
