import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import formats, { type FormatsPlugin } from 'ajv-formats'
import { answerProblems, headerProblems as problemsOfHeader, type Received } from '../../cli/contract/answer.ts'
import { streamProblems } from '../../cli/contract/stream.ts'
import { feedProblems } from '../../cli/contract/feed.ts'
import { doorOperations } from '../../generated/doors.ts'
import { operations } from '../../generated/operations.ts'
import { doorStreamProblems } from './door-streams.ts'

export { envelopeProblems, type Received } from '../../cli/contract/answer.ts'

export type OperationId = keyof typeof operations

export const operationIds = Object.keys(operations) as OperationId[]

/** An operation of any contract. */
export type AnyOperationId = OperationId | keyof typeof doorOperations

/** What the contract's schemas are made of. */
export interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly maxProperties?: number
  readonly nullable?: boolean
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
}

export interface MediaType {
  readonly schema: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

export interface HeaderObject {
  readonly required?: boolean
  readonly schema: Schema
  readonly example?: string | number
}

export interface Parameter extends HeaderObject {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
}

interface Ref {
  readonly $ref: string
}

interface ResponseObject {
  readonly headers?: Readonly<Record<string, HeaderObject | Ref>>
  readonly content?: Readonly<Record<string, MediaType>>
}

interface OperationObject {
  readonly operationId: AnyOperationId
  readonly parameters?: readonly (Parameter | Ref)[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly responses: Readonly<Record<string, ResponseObject | Ref>>
  readonly 'x-sse-events'?: Readonly<Record<string, Schema>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

// References are made absolute so that every part of a document compiles on its own.
const documentIn = (root: string, file: string): Document =>
  JSON.parse(
    readFileSync(new URL(`../../generated/${file}.json`, import.meta.url), 'utf8').replaceAll('"#/components/', `"${root}#/components/`),
  ) as Document
const document = documentIn('contract', 'openapi')
const documents: Readonly<Record<string, Document>> = {
  contract: document,
  openai: documentIn('openai', 'openai'),
  anthropic: documentIn('anthropic', 'anthropic'),
}

// Strict: a keyword or a format ajv would ignore is a bug of the contract. A second compilation, not the server's.
const ajv = new Ajv({ strict: true, allErrors: true })
;(formats as unknown as FormatsPlugin)(ajv)
// Those with x- are for those who compare and lint contracts, the discriminator for those who generate types; components is the document's part
// that references lead to.
ajv.addVocabulary(['x-extensible', 'x-json-schema', 'x-line', 'discriminator', 'components'])
for (const [root, { components }] of Object.entries(documents)) ajv.addSchema({ $id: root, components })

/** What a value has against a schema; undefined where it matches. */
export function mismatch(schema: Schema, value: unknown): string | undefined {
  const validate = ajv.compile(schema)
  return validate(value) ? undefined : ajv.errorsText(validate.errors)
}

/** Follows a reference, if it is one. */
export function resolve<T extends object>(part: T | Ref): T {
  if (!('$ref' in part)) return part
  const [root = '', path = ''] = part.$ref.split('#/')
  let found: unknown = documents[root]
  for (const name of path.split('/')) found = (found as Record<string, unknown>)[name]
  return found as T
}

/** A shared schema of ours by name. */
export const schemaNamed = (name: string): Schema => document.components.schemas[name]!

const objects = new Map(
  Object.values(documents)
    .flatMap(({ paths }) => Object.values(paths))
    .flatMap((item) =>
      Object.values(item).flatMap((operation): [AnyOperationId, OperationObject & { readonly shared: readonly (Parameter | Ref)[] }][] => {
        if (typeof operation !== 'object' || operation === null || !('operationId' in operation)) return []
        const found = operation as OperationObject
        return [[found.operationId, { ...found, shared: (item['parameters'] ?? []) as (Parameter | Ref)[] }]]
      }),
    ),
)

const objectOf = (op: AnyOperationId): OperationObject & { readonly shared: readonly (Parameter | Ref)[] } => objects.get(op)!

/** Parameters of an operation, those of its path included. */
export const parametersOf = (op: AnyOperationId): Parameter[] =>
  [...objectOf(op).shared, ...(objectOf(op).parameters ?? [])].map((parameter) => resolve(parameter))

/** The operation's request body; undefined where it takes none. */
export const bodyOf = (op: AnyOperationId): MediaType | undefined => objectOf(op).requestBody?.content['application/json']

/** Schemas of the operation's SSE events, by name. */
export const eventsOf = (op: AnyOperationId): Readonly<Record<string, Schema>> => objectOf(op)['x-sse-events'] ?? {}

/** A declared response with its headers resolved; undefined where the status is not declared. */
export function responseOf(
  op: AnyOperationId,
  status: number,
): { readonly headers: Readonly<Record<string, HeaderObject>>; readonly content: Readonly<Record<string, MediaType>> } | undefined {
  const declared = objectOf(op).responses[String(status)]
  if (declared === undefined) return undefined
  const { headers = {}, content = {} } = resolve(declared)
  return { headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, resolve(header)])), content }
}

/** Headers that say how an answer travels and not what it says: all others are declared. */
const ofTransport = /^(date|connection|keep-alive|transfer-encoding|content-(type|length)|vary|access-control-[a-z-]+|x-accel-buffering)$/

/**
 * Everything a response has against the contract; empty where it keeps it.
 * @param resumed the request had a Last-Event-ID: the stream need not begin at its start
 */
export function responseProblems(op: AnyOperationId, received: Received, resumed = false): string[] {
  const declared = responseOf(op, received.status)
  if (declared === undefined) return [`${op} does not declare ${received.status}: ${received.text.slice(0, 500)}`]
  const names = Object.keys(declared.headers).map((name) => name.toLowerCase())
  const extra = Object.keys(received.headers).filter((name) => !ofTransport.test(name) && !names.includes(name))
  const stream = (text: string): string[] =>
    op === 'streamEvents'
      ? feedProblems(text, eventsOf(op), mismatch, resumed)
      : op in doorOperations
        ? doorStreamProblems(text, eventsOf(op), mismatch)
        : streamProblems(text, eventsOf(op), mismatch, resumed)
  return [
    ...answerProblems(declared, received, { mismatch, typeOf, stream }),
    ...extra.map((name) => `header ${name} is not declared`),
    ...locationProblems(op, received),
  ].map((problem) => `${op} ${received.status}: ${problem}`)
}

/** What is created lies below the path that it was created at, under the id that its answer names. */
function locationProblems(op: AnyOperationId, { headers: { location }, text }: Received): string[] {
  if (location === undefined || !(op in operations)) return []
  const id = text.startsWith('{') ? /"(?:task_id|id)":"([^"]+)"/.exec(text)?.[1] : String(location).split('/').at(-1)
  const due = `${operations[op as OperationId].path}/${String(id)}`
  return location === due ? [] : [`Location is ${String(location)}, not ${due}`]
}

/** What a header has against its declaration. */
export const headerProblems = (name: string, header: HeaderObject, value: string | string[] | undefined): string[] =>
  problemsOfHeader(name, header, value, { mismatch, typeOf })

const typeOf = (schema: Schema): string | undefined => resolve(schema).type
