import { randomUUID } from 'node:crypto'
import { isObject, numberOf, objectOf, objectsOf, textOf, type Json, type JsonObject } from '../json.ts'
import { ChoiceReader } from './choice-reader.ts'
import { logprobsOf } from './logprobs.ts'

/** Reads the stream of `/v1/chat/completions`. */
export class ChatReader extends ChoiceReader {
  /** The tool calls that have begun, as the server tells them apart. */
  private readonly calls: { readonly at: number | undefined; readonly id: string | undefined }[] = []

  protected override choice(choice: JsonObject): void {
    this.delta(objectOf(choice['delta']), choice['logprobs'])
  }

  protected override callsTools(): boolean {
    return this.calls.length > 0
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
    const [called, id, at] = [textOf(name), textOf(call['id']), numberOf(call['index'])]
    const text = (isObject(piece) ? JSON.stringify(piece) : (textOf(piece) ?? '')).toWellFormed()
    const index = this.goesOn(called, id, at)
    if (index !== undefined) {
      if (text !== '') this.send({ kind: 'tool_call', index, text })
      return
    }
    const begun = this.calls.push({ at, id }) - 1
    this.send({ kind: 'tool_call', index: begun, id: id ?? `call_${randomUUID()}`, name: called ?? '', text })
  }

  /**
   * Which of the calls it goes on with; undefined where it begins one. Some servers leave the index out: a name begins a call, anything else goes
   * on with the last one. Others have one index for all calls: a name with another id begins one. Ids alone do not: there are servers that draw one for each piece.
   */
  private goesOn(called: string | undefined, id: string | undefined, at: number | undefined): number | undefined {
    const last = called === undefined ? this.calls.length - 1 : -1
    const index = at === undefined ? last : this.calls.findLastIndex((call) => call.at === at)
    const known = this.calls[index]
    const another = called !== undefined && id !== undefined && known?.id !== undefined && id !== known.id
    return known === undefined || another ? undefined : index
  }
}
