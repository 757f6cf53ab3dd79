import type { Part } from '../../src/domain/stream/part.ts'
import {
  EngineError,
  type Engine,
  type EngineProps,
  type GenerateRequest,
  type GenerateResult,
  type Prompt,
} from '../../src/ports/engine.ts'

/** One call of `generate`, in the hands of the test. */
export interface EngineCall {
  readonly request: GenerateRequest
  readonly signal: AbortSignal
  /** The promise of the call is settled. */
  over: boolean
  /** Sends a token, as long as nobody has aborted. */
  say(text: string): void
  /** The same for any part. */
  give(part: Part): void
  finish(result?: Partial<GenerateResult>): void
  fail(error?: unknown): void
}

const defaults: EngineProps = {
  engine_version: 'scripted-1',
  ctx_max: 8192,
  slots: 1,
  workloads: ['completion'],
  replayable: true,
  features: ['chat_template', 'stop_sequences'],
}

export const brokenEngine = (): EngineError => new EngineError('the engine broke', { retriable: true })

/** An engine that does what the test tells it, and keeps to the port: it confirms aborts (unless deaf) and lets go of calls when it stops. */
export class ScriptedEngine implements Engine {
  /** Every call of `generate`, over or not. */
  readonly calls: EngineCall[] = []
  starts = 0
  stops = 0
  unloads = 0
  /** What `start` does. */
  onStart: () => Promise<void> = () => Promise.resolve()
  /** What `stop` does, once the calls are let go. */
  onStop: () => Promise<void> = () => Promise.resolve()
  /** What `countTokens` does. */
  onCount: (prompt: Prompt, signal: AbortSignal) => Promise<number> = () => Promise.resolve(3)
  /** Does not confirm aborts. */
  deaf = false
  props: EngineProps
  private onDown: ((reason: Error) => void) | undefined
  private readonly open = new Set<(error: Error) => void>()

  constructor(props: Partial<EngineProps> = {}) {
    this.props = { ...defaults, ...props }
  }

  /** The newest call. */
  get call(): EngineCall {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('the engine was not called')
    return call
  }

  /** Calls that are not over. */
  get running(): EngineCall[] {
    return this.calls.filter(({ over }) => !over)
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    this.starts++
    this.onDown = onDown
    const stopped = new Promise<never>((_, reject) => this.open.add(reject))
    stopped.catch(() => undefined)
    await Promise.race([this.onStart(), stopped])
    return this.props
  }

  /** It says whether it can, in its props. */
  unload(): Promise<boolean> {
    this.unloads++
    return Promise.resolve(this.props.loads === true)
  }

  countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return this.onCount(prompt, signal)
  }

  generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    return new Promise((resolve, reject) => {
      const letGo = (error: unknown): void => {
        call.over = true
        this.open.delete(letGo)
        reject(error instanceof Error ? error : new Error(String(error)))
      }
      const call: EngineCall = {
        request,
        signal,
        over: false,
        say: (text) => {
          if (!call.over) onPart({ kind: 'text', text })
        },
        give: (part) => {
          if (!call.over) onPart(part)
        },
        finish: (result = {}) => {
          call.over = true
          this.open.delete(letGo)
          resolve({ finish_reason: 'stop', tokens_in: 3, tokens_out: 1, kv_warm: false, ...result })
        },
        fail: (error = brokenEngine()) => {
          letGo(error)
        },
      }
      this.calls.push(call)
      this.open.add(letGo)
      const onAbort = (): void => {
        if (!this.deaf) letGo(signal.reason)
      }
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** The engine dies by itself. */
  die(reason: Error = brokenEngine()): void {
    const { onDown } = this
    this.onDown = undefined
    this.letGoOfAll(reason)
    onDown?.(reason)
  }

  stop(): Promise<void> {
    this.stops++
    this.onDown = undefined
    this.letGoOfAll(new EngineError('the engine was stopped', { retriable: true }))
    return this.onStop()
  }

  private letGoOfAll(reason: Error): void {
    for (const letGo of [...this.open]) letGo(reason)
    this.open.clear()
  }
}
