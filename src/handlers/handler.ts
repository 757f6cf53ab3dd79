import type { operations as anthropic } from '../../generated/anthropic.ts'
import type { operations as native } from '../../generated/api.ts'
import type { operations as openai } from '../../generated/openai.ts'
import type { Principal } from '../domain/principal.ts'
import type { ComingBody, FrameSource } from '../domain/stream/frame-source.ts'
import type { RequestBody } from './request-body.ts'

type operations = native & openai & anthropic

/** Every operation of all contracts. */
export type OperationId = keyof operations

type Responses<Op extends OperationId> = operations[Op]['responses']
type SuccessStatus<Op extends OperationId> = Extract<keyof Responses<Op>, 200 | 201 | 202 | 204>

/** Headers the shell or the SSE writer sets, not the handler. */
type ShellHeader = 'X-Correlation-Id' | 'request-id' | 'x-request-id' | 'Cache-Control'
type HandlerHeaders<H> = { readonly [K in keyof H as string extends K ? never : K extends ShellHeader ? never : K]: H[K] }
type HeaderPart<H> = keyof H extends never ? object : object extends H ? { readonly headers?: H } : { readonly headers: H }
type WithHeaders<R> = R extends { headers: infer H } ? HeaderPart<HandlerHeaders<H>> : object
type WithBody<R> = R extends { headers: { 'X-Task-Id': string }; content: { 'application/json': infer B; 'text/event-stream'?: never } }
  ? { readonly coming: ComingBody<B> }
  : R extends { content: { 'application/json': infer B; 'text/event-stream': string } }
    ? { readonly coming: ComingBody<B> } | { readonly stream: FrameSource }
    : R extends { content: { 'application/json': infer B } }
      ? { readonly body: B }
      : R extends { content: { 'text/event-stream': string } }
        ? { readonly stream: FrameSource }
        : R extends { content: { 'application/octet-stream': string } }
          ? { readonly content: AsyncIterable<string> }
          : object

/** Union of the declared 2xx replies of an operation. */
export type Reply<Op extends OperationId> = {
  [S in SuccessStatus<Op>]: { readonly status: S } & WithBody<Responses<Op>[S]> & WithHeaders<Responses<Op>[S]>
}[SuccessStatus<Op>]

type Given<T> = [NonNullable<T>] extends [never] ? unknown : NonNullable<T>

/** A validated request. Header names are lower case. */
export interface HandlerRequest<Op extends OperationId> {
  readonly params: Given<operations[Op]['parameters']['path']>
  readonly query: Given<operations[Op]['parameters']['query']>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: RequestBody<operations[Op]>
  readonly principal: Principal
  readonly correlation_id: string
}

/** Answers one operation: returns a declared 2xx reply or throws a DomainError. */
export type Handler<Op extends OperationId> = (request: HandlerRequest<Op>) => Reply<Op> | Promise<Reply<Op>>

/** One handler for each operation: a missing or an extra one does not compile. */
export type Handlers = { readonly [Op in OperationId]: Handler<Op> }
