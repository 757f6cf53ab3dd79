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
import { type Child, generate } from './calls.ts'
import { grammarOf, objectionTo } from './grammar/format.ts'
import { LlamaProcess } from './process.ts'
import type { KnownDigest } from './protocol.ts'
import { Tokenizers } from './tokenizers.ts'

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
  /** Where the model's template has no place for a message of the system: `prepend` puts it before what the user says; refused unless given. */
  readonly system_messages?: 'refuse' | 'prepend'
  /** Where a request's sampling gives none. */
  readonly temperature: number
  /** The child's output line by line, escaped and capped. */
  readonly onOutput: (line: string) => void
}

/** The processes of one start. */
interface Running {
  readonly child: Child
  readonly tokenizers: Tokenizers
}

/**
 * llama.cpp by way of node-llama-cpp, in child processes: a native crash must not take the daemon down. Prompts are turned into tokens in one
 * of their own, so that no text stops or ends what others are told.
 */
export function createLlamaCppEngine(options: LlamaCppOptions): Engine {
  return new LlamaCppEngine(options)
}

class LlamaCppEngine implements Engine {
  private readonly options: LlamaCppOptions
  private processes: Running | undefined
  private closing: Promise<void> = Promise.resolve()
  private knownDigest: KnownDigest | null = null

  constructor(options: LlamaCppOptions) {
    this.options = options
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    if (this.processes !== undefined) throw new Error('the llama.cpp engine is already started')
    const { model_path, ctx, slots, threads, gpu, devices, system_messages = 'refuse', onOutput } = this.options
    const path = typeof model_path === 'string' ? Promise.resolve(model_path) : model_path()
    path.catch(() => undefined)
    const child: Child = new LlamaProcess(new URL('./child.ts', import.meta.url), onOutput, devices)
    const tokenizers = new Tokenizers(async () => ({ type: 'load', model_path: resolve(await path), system_messages }), onOutput)
    const processes = { child, tokenizers }
    this.processes = processes
    const end = async (reason: EngineError): Promise<void> => {
      if (this.processes === processes) this.processes = undefined
      await endAll(processes, reason)
    }
    try {
      const words = tokenizers.start()
      words.catch(() => undefined)
      const load = { type: 'load', model_path: resolve(await path), ctx, slots, threads, gpu, known_digest: this.knownDigest } as const
      const { props, known_digest } = await child.load(load)
      const { features, longest_token } = await words
      this.knownDigest = known_digest
      void child.gone.then(async (reason) => {
        // After stop() the child is no longer ours and its end is no news.
        if (this.processes !== processes) return
        const ended = end(reason)
        onDown(reason)
        await ended
      })
      const all = { ...props, features: [...features, ...props.features], ...(longest_token === undefined ? {} : { longest_token }) }
      return props.workloads.includes('completion') ? { ...all, probe: await this.probe() } : all
    } catch (error) {
      await end(stopped())
      throw error
    }
  }

  objection(asked: AskedOfEngine): Objection | undefined {
    return objectionTo(asked)
  }

  /** What a short task takes. */
  private async probe(): Promise<NonNullable<EngineProps['probe']>> {
    const request = {
      prompt: { text: 'Once upon a time' },
      max_tokens: 8,
      seed: 1,
      sampling: {},
      chat: {},
      kv: 'cold',
      session: '',
    } as const
    const begun = performance.now()
    const times: number[] = []
    const { tokens_in, tokens_out } = await this.generate(request, () => void times.push(performance.now()), new AbortController().signal)
    const [first = performance.now()] = times
    const last = times.at(-1) ?? first
    return { prompt_tokens: tokens_in, tokens_out: Math.max(1, tokens_out), prefill_ms: first - begun, decode_ms: last - first }
  }

  async countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return this.running().tokenizers.count(prompt, signal)
  }

  async generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    signal.throwIfAborted()
    const grammar = grammarOf(request.chat.response_format)
    const { prompt, continue_from = '', ...rest } = request
    const running = this.running()
    const tokens = await running.tokenizers.encode(prompt, continue_from, signal)
    const sampling = { ...request.sampling, temperature: request.sampling.temperature ?? this.options.temperature }
    return generate(running.child, { ...rest, sampling, tokens, grammar }, onPart, signal)
  }

  kvUsage(): number | undefined {
    return this.processes?.child.kv_usage
  }

  async stop(): Promise<void> {
    const { processes } = this
    this.processes = undefined
    if (processes !== undefined) this.closing = endAll(processes, stopped())
    await this.closing
  }

  private running(): Running {
    if (this.processes?.child.ready !== true) throw new EngineError('the llama.cpp engine is not running', { retriable: true })
    return this.processes
  }
}

const stopped = (): EngineError => new EngineError('the llama.cpp engine was stopped', { retriable: true })

async function endAll({ child, tokenizers }: Running, reason: EngineError): Promise<void> {
  await Promise.all([child.close(reason), tokenizers.close(reason)])
}
