import type { Part } from '../../../domain/stream/part.ts'
import type { EmbeddingInput } from '../../../domain/task.ts'
import { pause, type Clock } from '../../../ports/clock.ts'
import {
  EngineError,
  type AskedOfEngine,
  type Engine,
  type EngineProps,
  type GenerateRequest,
  type GenerateResult,
  type Objection,
  type Prompt,
} from '../../../ports/engine.ts'
import { answerSink } from './answer.ts'
import { waitAfter } from './busy.ts'
import { EngineClient, type ServerAddress } from './client.ts'
import { continued } from './continued.ts'
import type { Dialect, Embeddings, Scores, ServerProps } from './dialect.ts'
import { EngineFault, strangeFault } from './faults.ts'
import { Health, untilUp, whileComing, whileLoading } from './health.ts'
import { KvFigure } from './kv-figure.ts'
import { provesReplay, type ProbeRun } from './replay-probe.ts'

export interface HttpEngineParts extends ServerAddress {
  readonly dialect: Dialect
  /** Tasks that run at once: no more are ever sent. Left out, what the dialect or the server says. */
  readonly slots?: number | undefined
  readonly replayable: boolean | 'probe'
  readonly clock: Clock
  /** Its process has just been started: until it answers, it is waited for. */
  readonly coming?: boolean
  /** How long a run may be silent, ms. */
  readonly idle_ms?: number
}

/** What there is while the server is up. */
interface Up {
  readonly client: EngineClient
  readonly server: ServerProps
  health: Health
  /** Its model is unloaded by our wish. */
  asleep: boolean
  readonly watch: () => Health
  readonly kv: KvFigure
}

/** An engine that is a server: what all of them share. What is its own is in its dialect. */
export class HttpEngine implements Engine {
  private readonly parts: HttpEngineParts
  private client: EngineClient | undefined
  private up: Up | undefined
  /** Aborts what a start waits for. */
  private over = new AbortController()
  /** Counts starts and stops: a start that a stop has overtaken is over. */
  private starts = 0
  private closing: Promise<void> = Promise.resolve()

  constructor(parts: HttpEngineParts) {
    this.parts = parts
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    const { dialect, replayable, clock, coming = false } = this.parts
    const begun = ++this.starts
    const client = await EngineClient.open(this.parts)
    if (begun !== this.starts) {
      await client.close(stopped())
      throw stopped()
    }
    this.client = client
    this.over = new AbortController()
    const over = this.over.signal
    try {
      const asked = { client, path: dialect.health, clock }
      await untilUp(asked, coming ? whileComing : whileLoading, over)
      const server = await dialect.inspect(client, over)
      const slots = this.parts.slots ?? dialect.usual_slots ?? server.slots ?? 1
      client.reserve(slots)
      if (server.slots !== undefined && server.slots < slots)
        throw new EngineFault('failed', `the engine runs ${server.slots} tasks at once, not the ${slots} of replicas.slots`)
      const run = (request: GenerateRequest): Promise<ProbeRun> => probeRun(client, dialect, server, request)
      const proven = replayable === 'probe' ? await provesReplay(run, slots, server) : { replayable }
      const down = (reason: EngineFault): void => {
        this.up = undefined
        this.closing = client.close(reason)
        onDown(reason)
      }
      const watch = (): Health => new Health({ ...asked, path: server.health ?? dialect.health, isSame: server.isSame }, down)
      this.up = { client, server, health: watch(), watch, asleep: false, kv: new KvFigure(dialect, client, server) }
      return { ...server, engine_version: versionOf(server), slots, ...proven }
    } catch (error) {
      await client.close(stopped())
      throw error instanceof EngineFault ? strangeFault(error) : error
    }
  }

  objection(asked: AskedOfEngine): Objection | undefined {
    return this.parts.dialect.objection?.(asked)
  }

  async countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return this.call((client, server) => this.parts.dialect.count(client, prompt, server, signal), signal)
  }

  async generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const up = this.running()
    up.kv.begun()
    try {
      return await this.generated(up, request, onPart, signal)
    } finally {
      up.kv.ended()
    }
  }

  async embed(inputs: readonly EmbeddingInput[], _seed: number, signal: AbortSignal): Promise<Embeddings> {
    const embeddings = await this.call(async (client, server) => this.parts.dialect.embed?.(client, inputs, server, signal), signal)
    if (embeddings === undefined) throw new EngineFault('refused', 'this engine has no embeddings')
    return embeddings
  }

  async rerank(query: string, documents: readonly string[], _seed: number, signal: AbortSignal): Promise<Scores> {
    const { dialect } = this.parts
    const ranked = await this.call(async (client, server) => dialect.rerank?.(client, query, documents, server, signal), signal)
    if (ranked === undefined) throw new EngineFault('refused', 'this engine cannot rerank')
    return ranked
  }

  kvUsage(): number | undefined {
    return this.up?.asleep === false ? this.up.kv.get() : undefined
  }

  async unload(): Promise<boolean> {
    const up = this.running()
    if (up.server.loads !== true) return false
    up.asleep = true
    up.health.stop()
    await this.parts.dialect.unload?.(up.client, up.server, this.over.signal)
    return true
  }

  async load(): Promise<void> {
    const { up } = this
    if (up?.asleep !== true) return void this.running()
    await this.parts.dialect.load?.(up.client, up.server, this.over.signal)
    up.health = up.watch()
    up.asleep = false
  }

  async stop(): Promise<void> {
    const { client } = this
    this.starts++
    this.over.abort(stopped())
    this.up?.health.stop()
    this.up = undefined
    this.client = undefined
    if (client !== undefined) this.closing = client.close(stopped())
    await this.closing
  }

  private async generated(up: Up, request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const { client, server, health } = up
    let [parts, left_ms] = [0, this.parts.idle_ms ?? Infinity]
    const counted = (part: Part): void => {
      parts++
      onPart(part)
    }
    for (let tries = 0; ; tries++) {
      try {
        return await generateOnce(client, this.parts.dialect, server, { request, onPart: counted, signal })
      } catch (error) {
        const wait_ms = parts === 0 ? waitAfter(error, tries, left_ms) : undefined
        if (wait_ms === undefined) {
          await this.doubted(error, health, signal)
          throw error
        }
        left_ms -= wait_ms
        await pause(this.parts.clock, wait_ms, signal)
      }
    }
  }

  /** A call that is no generation: where it fails it is asked whether the server is well. */
  private async call<T>(run: (client: EngineClient, server: ServerProps) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { client, server, health } = this.running()
    try {
      return await run(client, server)
    } catch (error) {
      await this.doubted(error, health, signal)
      throw error
    }
  }

  /** Finds out whether the server is still there after a failure that makes one doubt it. @throws the signal's reason where it has aborted */
  private async doubted(error: unknown, health: Health, signal: AbortSignal): Promise<void> {
    if (error instanceof EngineFault && error.retriable && error.kind !== 'busy') await health.doubt()
    signal.throwIfAborted()
  }

  private running(): Up {
    if (this.up === undefined) throw new EngineError('the engine is not up', { retriable: true })
    if (this.up.asleep) throw new EngineError('the engine has unloaded its model', { retriable: true })
    return this.up
  }
}

/** Its version as one line that fits into our answers: 128 characters. */
const versionOf = ({ engine_version }: ServerProps): string => engine_version.replaceAll(/\s+/g, ' ').slice(0, 128)

/** A signal of what ends with its client. */
const never = (): AbortSignal => new AbortController().signal

const stopped = (): EngineFault => new EngineFault('broken', 'the engine was given up')

interface Run {
  readonly request: GenerateRequest
  readonly onPart: (part: Part) => void
  readonly signal: AbortSignal
}

async function generateOnce(client: EngineClient, dialect: Dialect, server: ServerProps, run: Run): Promise<GenerateResult> {
  const { path, body, framing, reader } = dialect.generation(continued(run.request), server, run.onPart)
  await client.stream(path, body, answerSink(framing, reader), run.signal)
  return reader.result()
}

async function probeRun(client: EngineClient, dialect: Dialect, server: ServerProps, request: GenerateRequest): Promise<ProbeRun> {
  const texts: string[] = []
  const begun = performance.now()
  let [first, last] = [begun, begun]
  const onPart = (part: Part): void => {
    last = performance.now()
    if (texts.push(part.text) === 1) first = last
  }
  const { tokens_in } = await generateOnce(client, dialect, server, { request, onPart, signal: never() })
  const took = { prefill_ms: first - begun, decode_ms: last - first }
  return { text: texts.join(''), probe: { prompt_tokens: tokens_in, tokens_out: texts.length, ...took } }
}
