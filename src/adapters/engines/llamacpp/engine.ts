import { resolve } from 'node:path'
import type { Part } from '../../../domain/stream/part.ts'
import {
  type AskedOfEngine,
  type Engine,
  EngineError,
  type EngineProps,
  type GenerateRequest,
  type GenerateResult,
  type Objection,
  type Prompt,
} from '../../../ports/engine.ts'
import { grammarOf, objectionTo } from './grammar/format.ts'
import { type Call, LlamaProcess } from './process.ts'
import type { KnownDigest } from './protocol.ts'

export interface LlamaCppOptions {
  /** A GGUF file, or what finds it at each start and says why there is none. */
  readonly model_path: string | (() => Promise<string>)
  /** Tokens of one slot; at most what the model was trained on. */
  readonly ctx: number
  /** Tasks that run at once, each in a sequence of its own. */
  readonly slots: number
  /** 0 = measure at load and take the fastest. */
  readonly threads: number
  readonly gpu: boolean
  /** GPUs it may use, as nvidia-smi numbers them; all of them if empty. */
  readonly devices?: readonly number[]
  /** Where a request's sampling gives none. */
  readonly temperature: number
  /** The child's output line by line, escaped and capped. */
  readonly onOutput: (line: string) => void
}

/** llama.cpp by way of node-llama-cpp, in a child process: a native crash must not take the daemon down. */
export function createLlamaCppEngine(options: LlamaCppOptions): Engine {
  return new LlamaCppEngine(options)
}

class LlamaCppEngine implements Engine {
  private readonly options: LlamaCppOptions
  private child: LlamaProcess | undefined
  private closing: Promise<void> = Promise.resolve()
  private knownDigest: KnownDigest | null = null

  constructor(options: LlamaCppOptions) {
    this.options = options
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    if (this.child !== undefined) throw new Error('the llama.cpp engine is already started')
    const { model_path, ctx, slots, threads, gpu, devices, onOutput } = this.options
    const child = new LlamaProcess(onOutput, devices)
    this.child = child
    try {
      const path = typeof model_path === 'string' ? model_path : await model_path()
      const { props, known_digest } = await child.load({
        type: 'load',
        model_path: resolve(path),
        ctx,
        slots,
        threads,
        gpu,
        known_digest: this.knownDigest,
      })
      this.knownDigest = known_digest
      void child.gone.then((reason) => {
        // After stop() the child is no longer ours and its end is no news.
        if (this.child !== child) return
        this.child = undefined
        onDown(reason)
      })
      return props
    } catch (error) {
      await child.close(stopped())
      if (this.child === child) this.child = undefined
      throw error
    }
  }

  objection(asked: AskedOfEngine): Objection | undefined {
    return objectionTo(asked)
  }

  countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return this.call<number>(signal, (child, { resolve, reject }) => {
      const call: Call = {
        text: () => undefined,
        end: (outcome) => {
          if (outcome.type === 'counted') resolve(outcome.tokens)
          else reject(outcomeError(outcome))
        },
        fail: reject,
      }
      const id = child.begin(call, (id) => ({ type: 'count', id, prompt }))
      // Counting ends by itself in no time: there is nothing to stop in the child.
      return () => {
        child.forget(id)
        reject(signal.reason)
      }
    })
  }

  async generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const grammar = grammarOf(request.chat.response_format)
    const sampling = { ...request.sampling, temperature: request.sampling.temperature ?? this.options.temperature }
    return this.call<GenerateResult>(signal, (child, { resolve, reject }) => {
      let thrown: { error: unknown } | undefined
      const abort = (): void => child.send({ type: 'abort', id })
      const call: Call = {
        text: (piece) => {
          // Tokens still in the pipe when the caller aborted must not reach it.
          if (signal.aborted || thrown !== undefined) return
          try {
            onPart({ kind: 'text', text: piece })
          } catch (error) {
            thrown = { error }
            abort()
          }
        },
        end: (outcome) => {
          if (thrown !== undefined) reject(thrown.error)
          else if (signal.aborted) reject(signal.reason)
          else if (outcome.type === 'done') resolve(outcome.result)
          else reject(outcomeError(outcome))
        },
        // A dead engine has stopped, too: that confirms an abort as well as the child would have.
        fail: (error) => reject(signal.aborted ? signal.reason : error),
      }
      const id = child.begin(call, (id) => ({
        type: 'generate',
        id,
        request: { ...request, sampling },
        ...(grammar === undefined ? {} : { grammar }),
      }))
      return abort
    })
  }

  kvUsage(): number | undefined {
    return this.child?.kv_usage
  }

  async stop(): Promise<void> {
    const { child } = this
    this.child = undefined
    if (child !== undefined) this.closing = child.close(stopped())
    await this.closing
  }

  /** Runs a call on the process; `begin` returns what is to be done when the signal aborts. */
  private async call<T>(
    signal: AbortSignal,
    begin: (child: LlamaProcess, ends: { resolve: (value: T) => void; reject: (reason: unknown) => void }) => () => void,
  ): Promise<T> {
    signal.throwIfAborted()
    const { child } = this
    if (child?.ready !== true) throw new EngineError('the llama.cpp engine is not running', { retriable: true })
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onAbort = begin(child, { resolve, reject })
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

const stopped = (): EngineError => new EngineError('the llama.cpp engine was stopped', { retriable: true })

function outcomeError(outcome: { readonly type: string; readonly message?: string; readonly retriable?: boolean }): EngineError {
  const message = outcome.message ?? `unexpected answer of the llama.cpp process: ${outcome.type}`
  return new EngineError(message, { retriable: outcome.retriable ?? true })
}
