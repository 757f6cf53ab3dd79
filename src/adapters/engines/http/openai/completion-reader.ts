import { objectOf, textOf, type JsonObject } from '../json.ts'
import { ChoiceReader } from './choice-reader.ts'
import { completionLogprobsOf } from './logprobs.ts'

/** Reads the stream of `/v1/completions`. */
export class CompletionReader extends ChoiceReader {
  protected override choice(choice: JsonObject): void {
    if (choice['logprobs'] !== undefined && choice['logprobs'] !== null) this.texts.know(completionLogprobsOf(objectOf(choice['logprobs'])))
    const text = textOf(choice['text'])
    if (text !== undefined) this.send(this.texts.next(text))
  }

  protected override callsTools(): boolean {
    return false
  }
}
