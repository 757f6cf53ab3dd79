import type { Part } from '../../../domain/stream/part.ts'
import type { EmbeddingInput } from '../../../domain/task.ts'
import type { AskedOfEngine, EngineProps, GenerateRequest, GenerateResult, Objection, Prompt } from '../../../ports/engine.ts'
import type { EngineClient } from './client.ts'
import type { Framing } from './framing.ts'
import type { JsonObject } from './json.ts'

/** What a server says of itself. */
export interface ServerProps extends Omit<EngineProps, 'replayable' | 'slots'> {
  /** The name it knows the model by. */
  readonly model: string
  /** Tasks it runs at once, where it tells. */
  readonly slots?: number
  /** Path that answers with success while this model is served, where that of the server tells nothing of it. */
  readonly health?: string
  /** Whether what `health` answers is of the server that said all this; not where another has come in its place. */
  readonly isSame?: (answer: string) => boolean
}

/** Reads one answer, message by message. */
export interface AnswerReader {
  /** Whether the server's own end mark has come. */
  readonly ended: boolean
  /** @throws EngineFault where the message can be none of an answer */
  take(message: JsonObject): void
  /** `[DONE]` has come, where the dialect has one. */
  done?(): void
  /** The body has ended well-formed, for a dialect that has no other end mark. */
  closed?(): void
  /** Once it has ended. */
  result(): GenerateResult
}

/** A call that generates. */
export interface Plan {
  readonly path: string
  readonly body: object
  readonly framing: (onMessage: (data: string) => void) => Framing
  readonly reader: AnswerReader
}

/** What an engine that batches is given at once unless the configuration says more: a queue that we do not see hardly forms in it. */
export const batched_slots = 8

/** All that differs between engines over HTTP: their calls and how they answer. */
export interface Dialect {
  /** Path that answers with success while the server is well, and needs no more than a moment. */
  readonly health: string
  /** Tasks it is given at once where the configuration does not say and its own figure is a bound rather than what it is good for. */
  readonly usual_slots?: number
  /** Has the server load the model if it can and has not. @throws EngineFault where the server is not what the pool needs */
  inspect(client: EngineClient, signal: AbortSignal): Promise<ServerProps>
  /** What it cannot do of a request for all its features. */
  objection?(asked: AskedOfEngine): Objection | undefined
  generation(request: GenerateRequest, server: ServerProps, onPart: (part: Part) => void): Plan
  /** Tokens of a prompt; an estimate where the server has no tokenizer to ask. */
  count(client: EngineClient, prompt: Prompt, server: ServerProps, signal: AbortSignal): Promise<number>
  embed?(client: EngineClient, inputs: readonly EmbeddingInput[], server: ServerProps, signal: AbortSignal): Promise<Embeddings>
  /** Share of the KV cache in use, 0 to 1, where the server tells now. */
  kvUsage?(client: EngineClient, server: ServerProps, signal: AbortSignal): Promise<number | undefined>
  /** To ask for it wakes a server that sleeps, and keeps one awake: it is asked for only while it generates, and once afterwards. */
  readonly kvWakes?: true
  /** Loads the model again; resolves when it serves. Only where the server `loads`, as `unload`. */
  load?(client: EngineClient, server: ServerProps, signal: AbortSignal): Promise<void>
  /** Takes the model out of memory; resolves when it is gone or nothing more can be done. */
  unload?(client: EngineClient, server: ServerProps, signal: AbortSignal): Promise<void>
  rerank?(client: EngineClient, query: string, documents: readonly string[], server: ServerProps, signal: AbortSignal): Promise<Scores>
}

export interface Embeddings {
  readonly vectors: number[][]
  readonly tokens_in: number
}

export interface Scores {
  readonly scores: number[]
  readonly tokens_in: number
}
