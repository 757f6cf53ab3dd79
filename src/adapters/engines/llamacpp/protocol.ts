import type { EngineProps, GenerateRequest, GenerateResult, Prompt } from '../../../ports/engine.ts'

/** What a digest was computed of, so that a restart does not read gigabytes again. */
export interface KnownDigest {
  /** Device, inode, size and time of the last change. */
  readonly file: string
  /** SHA-256, hex. */
  readonly digest: string
}

/** First message to the child, and the only one until it answers `ready` or `failed`. */
export interface LoadCommand {
  readonly type: 'load'
  /** Absolute. */
  readonly model_path: string
  /** Tokens of one slot. */
  readonly ctx: number
  readonly slots: number
  /** 0 = measure. */
  readonly threads: number
  readonly gpu: boolean
  readonly known_digest: KnownDigest | null
}

/** Asks for the tokens of a prompt. */
export interface CountCommand {
  readonly type: 'count'
  readonly id: number
  readonly prompt: Prompt
}

/** Asks for an answer. */
export interface GenerateCommand {
  readonly type: 'generate'
  readonly id: number
  /** The sampling has its temperature filled in. */
  readonly request: GenerateRequest
  /** Holds the answer to a format, in GBNF. */
  readonly grammar?: string
}

/** Stops a call; `aborted` confirms it. */
export interface AbortCommand {
  readonly type: 'abort'
  readonly id: number
}

/** Ends the process once its calls have stopped. */
export interface StopCommand {
  readonly type: 'stop'
}

/** Parent to child. `id` is the parent's, unique among the calls of one child. */
export type Command = LoadCommand | CountCommand | GenerateCommand | AbortCommand | StopCommand

/** Why something failed. @see EngineError */
export interface Failure {
  readonly message: string
  readonly retriable: boolean
}

/** The model is loaded. */
export interface ReadyMessage {
  readonly type: 'ready'
  readonly props: EngineProps
  readonly known_digest: KnownDigest
}

/** The model did not load. */
export interface FailedMessage extends Failure {
  readonly type: 'failed'
}

/** Text of one or more calls: id, piece, id, piece, ... One message for all tokens of a round of the child's event loop. */
export interface TextMessage {
  readonly type: 'text'
  readonly pieces: readonly (number | string)[]
}

/** Ends a `count`. */
export interface CountedMessage {
  readonly type: 'counted'
  readonly id: number
  readonly tokens: number
}

/** Ends a `generate` that came to its end. */
export interface DoneMessage {
  readonly type: 'done'
  readonly id: number
  readonly result: GenerateResult
}

/** The call has stopped because of an `abort`; its sequence is free. */
export interface AbortedMessage {
  readonly type: 'aborted'
  readonly id: number
}

/** Ends a call that failed. */
export interface ErrorMessage extends Failure {
  readonly type: 'error'
  readonly id: number
}

/** Share of the KV cache that holds tokens, whenever it has changed. */
export interface KvMessage {
  readonly type: 'kv'
  readonly usage: number
}

/** Ends a call: exactly one for each `count` and `generate`. */
export type Outcome = CountedMessage | DoneMessage | AbortedMessage | ErrorMessage

/** Child to parent. */
export type Report = ReadyMessage | FailedMessage | TextMessage | KvMessage | Outcome
