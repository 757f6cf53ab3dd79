import { Ajv, type AnySchema } from 'ajv'
import formats, { type FormatsPlugin } from 'ajv-formats'
import { answerProblems, type Received } from '../contract/answer.ts'
import { Contract, objectOf, textOf, type Json, type JsonObject } from '../contract/document.ts'
import { feedProblems } from '../contract/feed.ts'
import { streamProblems } from '../contract/stream.ts'

/** A contract as a deployment is held to it: what a client may rely on. Fields, events and values that came later are no problem. */
export class Promised {
  private readonly contract: Contract
  /** By operation id. */
  private readonly operations: ReadonlyMap<string, { readonly name: string; readonly operation: JsonObject }>
  private readonly ajv = new Ajv({ strict: false, allErrors: true })

  /** @param text a bundled contract, as `/openapi/orchestratord.json` serves it @throws SyntaxError where it is no JSON */
  constructor(text: string) {
    ;(formats as unknown as FormatsPlugin)(this.ajv)
    this.contract = new Contract(JSON.parse(text) as JsonObject)
    this.operations = new Map(Array.from(this.contract.operations().values(), (one) => [textOf(one.operation['operationId']), one]))
    this.ajv.addSchema({ $id: 'contract', components: absolute(objectOf(this.contract.root['components'])) })
  }

  get version(): string {
    return this.contract.version
  }

  /** The ids of its operations. */
  get ids(): readonly string[] {
    return [...this.operations.keys()]
  }

  /** `POST /v1/tasks`; undefined where the contract has no such operation. */
  nameOf(id: string): string | undefined {
    return this.operations.get(id)?.name
  }

  /** Everything an answer has against the contract. @param resumed it is a stream that need not begin at its start */
  problems(id: string, received: Received, resumed: boolean): string[] {
    const operation = this.operations.get(id)?.operation ?? {}
    const declared = this.contract.resolve(objectOf(operation['responses'])[String(received.status)])
    if (declared === undefined) return [`the status ${received.status} is not declared: ${received.text.slice(0, 500)}`]
    const headers = Object.entries(objectOf(declared['headers'])).map(([name, header]) => {
      const { required, schema = {} } = this.contract.resolve(header) ?? {}
      return [name, { required: required === true, schema }] as const
    })
    const content = Object.entries(objectOf(declared['content'])).map(
      ([type, media]) => [type, { schema: objectOf(media)['schema'] ?? {} }] as const,
    )
    const events = objectOf(operation['x-sse-events'])
    return answerProblems<Json>({ headers: Object.fromEntries(headers), content: Object.fromEntries(content) }, received, {
      mismatch: this.mismatch,
      typeOf: (schema) => textOf(this.contract.resolve(schema)?.['type']),
      stream: (text) => {
        const told = known(text, events)
        return 'end' in events ? streamProblems(told, events, this.mismatch, resumed) : feedProblems(told, events, this.mismatch, resumed)
      },
    })
  }

  private readonly mismatch = (schema: Json, value: unknown): string | undefined => {
    const validate = this.ajv.compile(absolute(schema) as AnySchema)
    return validate(value) ? undefined : this.ajv.errorsText(validate.errors)
  }
}

/** The stream without events that came later. */
const known = (text: string, events: JsonObject): string =>
  text
    .split('\n\n')
    .filter((block) => {
      const [, event] = /^event: (.*)$/m.exec(block) ?? []
      return event === undefined || event in events
    })
    .join('\n\n')

/** References made absolute, so that every part compiles on its own. */
const absolute = (part: Json): JsonObject =>
  JSON.parse(JSON.stringify(part).replaceAll('"#/components/', '"contract#/components/')) as JsonObject
