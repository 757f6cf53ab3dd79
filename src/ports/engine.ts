import type { components } from '../../generated/api.ts'
import type { Probe } from '../domain/prediction/estimator.ts'
import type { Part } from '../domain/stream/part.ts'
import type { ChatMessage, EmbeddingInput, Feature, FinishReason, TaskRequest, Tool, Workload } from '../domain/task.ts'

/** How tokens are chosen; what is left out is the engine's default. */
export type Sampling = components['schemas']['Sampling']

/** What the chat template makes a prompt of: it tells the model of the tools as well. */
export interface Conversation {
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly Tool[]
}

/** Raw text, or a conversation to which the engine applies its chat template. */
export type Prompt = { readonly text: string } | Conversation

/** What an engine says of itself once it is up. */
export interface EngineProps {
  readonly engine_version: string
  /** Largest context of one slot, tokens. */
  readonly ctx_max: number
  /** Tasks it runs at once. */
  readonly slots: number
  readonly workloads: readonly Workload[]
  /** The same request with the same seed gives the same bytes, also beside other tasks and in another process. */
  readonly replayable: boolean
  /** What it can beside generating text; `replayable` has a field of its own. */
  readonly features: readonly Feature[]
  /** What a server calls its model, where the engine is one and tells. */
  readonly model?: string
  /** Bytes of text that one token stands for at most, where it is known: more than `ctx_max` times as many cannot fit. */
  readonly longest_token?: number
  /** `countTokens` is an estimate, for chats at least: it has no tokenizer to ask. */
  readonly tokens_estimated?: true
  /** SHA-256 of the model file, or of what the engine takes for one, hex, where there is one. */
  readonly model_digest?: string
  /** What a short task took when it came up, where it has run one. */
  readonly probe?: Probe
  /** Another model cannot be up while this one is: a reload has to unload it first. */
  readonly reload?: 'swap'
  /** It can load and unload the model while it runs. */
  readonly loads?: true
}

/** Fields of a task that only some engines can. */
export type ChatOptions = Pick<
  TaskRequest,
  'tool_choice' | 'parallel_tool_calls' | 'response_format' | 'reasoning_effort' | 'logprobs' | 'top_logprobs'
>

/** What of a request an engine may object to. */
export type AskedOfEngine = ChatOptions & Pick<TaskRequest, 'messages' | 'tools'>

/** What an engine cannot do of a request, although it has the feature. */
export interface Objection {
  /** Of the request, such as `response_format.json_schema.schema.not`. */
  readonly field: string
  readonly why: string
}

/** What an engine is asked to generate. */
export interface GenerateRequest {
  readonly prompt: Prompt
  readonly max_tokens: number
  /** 0 to 2^32 - 1. */
  readonly seed: number
  readonly sampling: Sampling
  /** Choice of tools, format of the answer and the like; only what the engine's features say it can. */
  readonly chat: ChatOptions
  /**
   * Text of the answer that is there already, without its reasoning: the engine goes on after it, and `max_tokens` is what may still come.
   * Only where it has the feature `continues`.
   */
  readonly continue_from?: string
  /** `reuse` lets the engine keep a KV prefix from `session`'s earlier task; `cold` starts empty. */
  readonly kv: 'reuse' | 'cold'
  /** Opaque; equal for tasks of one session. */
  readonly session: string
}

/** How a generation that was not aborted came to its end. */
export interface GenerateResult {
  readonly finish_reason: FinishReason
  readonly tokens_in: number
  /** Tokens generated, as the engine counts them: servers count the one that ended the turn as well. */
  readonly tokens_out: number
  /** Prompt tokens that came from a cache, where the engine tells. */
  readonly tokens_in_cached?: number
  /** Tokens of reasoning among `tokens_out`, where the engine tells. */
  readonly tokens_reasoning?: number
  /** The stop sequence that ended the text, where one did and the engine tells. */
  readonly stop_sequence?: string
  /** A KV prefix was reused. */
  readonly kv_warm: boolean
}

/** The engine failed. `retriable` tells whether the same request may succeed on a healthy engine, `busy` that it is well and takes no more now. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly retriable: boolean
  readonly busy: boolean
  constructor(message: string, options: { readonly retriable: boolean; readonly busy?: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.retriable = options.retriable
    this.busy = options.busy ?? false
  }
}

/**
 * One engine instance: a replica. Started and supervised by the pool; every call may reject with EngineError.
 * After `onDown` was called or `stop` was, calls under way reject and `start` may be called again.
 */
export interface Engine {
  /**
   * Loads the model and makes the engine ready.
   * @param onDown called at most once for each start, when the engine dies by itself afterwards
   * @throws DomainError where the model may not be served: it is not started again by itself
   */
  start(onDown: (reason: Error) => void): Promise<EngineProps>
  /** What it cannot do of a request for whose features it says that it has them; undefined where it can do all. Quick, and also while it is down. */
  objection?(asked: AskedOfEngine): Objection | undefined
  /**
   * Tokens of the prompt as `generate` would see it, template and BOS included. Rejects when aborted, and with an EngineError that is
   * not retriable where the engine cannot take the prompt: the message says why.
   */
  countTokens(prompt: Prompt, signal: AbortSignal): Promise<number>
  /**
   * Generates an answer. `onPart` gets it piece by piece, synchronously, one call a token where the engine can: whole code points,
   * text and reasoning never empty, never text of a stop sequence. Resolves after the last piece; after an abort it rejects with
   * `signal.reason` as soon as the engine has confirmed that it stopped, within one token, and `onPart` is not called again.
   */
  generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult>
  /** One vector for each input. Lists of token ids come where it has the feature `token_inputs`. */
  embed?(inputs: readonly EmbeddingInput[], seed: number, signal: AbortSignal): Promise<{ vectors: number[][]; tokens_in: number }>
  /** One relevance score for each document. */
  rerank?(query: string, documents: readonly string[], seed: number, signal: AbortSignal): Promise<{ scores: number[]; tokens_in: number }>
  /** Share of the KV cache in use, 0 to 1; undefined while the engine has not told. */
  kvUsage?(): number | undefined
  /**
   * Takes the model out of memory, while the engine stays up: until `load` calls reject. Resolves with false where it cannot.
   * @throws EngineError where the engine says that it failed
   */
  unload?(): Promise<boolean>
  /** Brings back what was unloaded; resolves when it serves. @throws EngineError where it does not come up */
  load?(): Promise<void>
  /** Releases everything; calls under way reject. Resolves when the engine is gone. */
  stop(): Promise<void>
}
