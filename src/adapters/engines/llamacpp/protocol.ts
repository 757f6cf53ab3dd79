import type { Feature } from '../../../domain/task.ts'
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

/** First message to a tokenizer's process, and the only one until it answers `ready` or `failed`. */
export interface TokenizerLoadCommand {
  readonly type: 'load'
  /** Absolute. */
  readonly model_path: string
  /** What becomes of messages of the system that the chat template has no place for. */
  readonly system_messages: 'refuse' | 'prepend'
}

/** Asks a tokenizer's process for the tokens of a prompt, and of what is there of its answer. */
export interface EncodeCommand {
  readonly type: 'encode'
  readonly id: number
  readonly prompt: Prompt
  readonly given: string
  /** Only how many there are. */
  readonly count: boolean
}

/** What a generation works with: the prompt as tokens, for the process that runs the model never sees a client's text. */
export interface TokenRequest extends Omit<GenerateRequest, 'prompt' | 'continue_from'> {
  readonly tokens: readonly number[]
  /** Holds the answer to a format, in GBNF. */
  readonly grammar?: string | undefined
}

/** Asks for an answer. */
export interface GenerateCommand {
  readonly type: 'generate'
  readonly id: number
  /** The sampling has its temperature filled in. */
  readonly request: TokenRequest
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
export type Command = LoadCommand | GenerateCommand | AbortCommand | StopCommand

/** Parent to a tokenizer's process. */
export type TokenizerCommand = TokenizerLoadCommand | EncodeCommand | StopCommand

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

/** The words of the model are loaded. */
export interface TokenizerReadyMessage {
  readonly type: 'ready'
  /** What the model's chat template can. */
  readonly features: readonly Feature[]
  /** Bytes of text that one token stands for at most; left out where it may stand for any number. */
  readonly longest_token?: number
}

/** The model did not load, or cannot be served any longer. */
export interface FailedMessage extends Failure {
  readonly type: 'failed'
}

/** Text of one or more calls: id, piece, id, piece, ... One message for all tokens of a round of the child's event loop. */
export interface TextMessage {
  readonly type: 'text'
  readonly pieces: readonly (number | string)[]
}

/** Ends an `encode` that counts. */
export interface CountedMessage {
  readonly type: 'counted'
  readonly id: number
  readonly tokens: number
}

/** Ends an `encode` that does not only count. */
export interface EncodedMessage {
  readonly type: 'encoded'
  readonly id: number
  readonly tokens: readonly number[]
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

/** Ends a call: exactly one for each `encode` and `generate`. */
export type Outcome = CountedMessage | EncodedMessage | DoneMessage | AbortedMessage | ErrorMessage

/** Child to parent. `Ready` is what it says once it has loaded. */
export type Report<Ready = ReadyMessage | TokenizerReadyMessage> = Ready | FailedMessage | TextMessage | KvMessage | Outcome
