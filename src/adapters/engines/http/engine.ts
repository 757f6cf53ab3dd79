import type { Part } from '../../../domain/stream/part.ts'
import type { Clock } from '../../../ports/clock.ts'
import {
  EngineError,
  type Engine,
  type EngineProps,
  type GenerateRequest,
  type GenerateResult,
  type Prompt,
} from '../../../ports/engine.ts'
import { answerSink } from './answer.ts'
import { EngineClient, type ServerAddress } from './client.ts'
import type { Dialect, Embeddings, Scores, ServerProps } from './dialect.ts'
import { EngineFault, unfinished } from './faults.ts'
import { Health, pause, untilUp } from './health.ts'
import { provesReplay } from './replay-probe.ts'

export interface HttpEngineParts extends ServerAddress {
  readonly dialect: Dialect
  /** Tasks that run at once: no more are ever sent. */
  readonly slots: number
  readonly replayable: boolean | 'probe'
  readonly clock: Clock
}

/** How often a server that takes no more is asked again within one run, and how long is waited before, ms. */
const busy_ms = [500, 1000, 2000, 4000]
/** Longest wait that a server may ask for, ms. */
const longest_wait_ms = 30_000

/** What there is while the server is up. */
interface Up {
  readonly client: EngineClient
  readonly server: ServerProps
  readonly health: Health
}

/** An engine that is a server: what all of them share. What is its own is in its dialect. */
export class HttpEngine implements Engine {
  private readonly parts: HttpEngineParts
  private client: EngineClient | undefined
  private up: Up | undefined
  private closing: Promise<void> = Promise.resolve()

  constructor(parts: HttpEngineParts) {
    this.parts = parts
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    const { dialect, slots, replayable, clock } = this.parts
    const client = await EngineClient.open(this.parts, slots)
    this.client = client
    const over = new AbortController().signal
    try {
      const asked = { client, path: dialect.health, clock }
      await untilUp(asked, over)
      const server = await dialect.inspect(client, over)
      if (server.slots !== undefined && server.slots < slots)
        throw new EngineFault('failed', `the engine runs ${server.slots} tasks at once, not the ${slots} of replicas.slots`)
      const run = (request: GenerateRequest): Promise<string> => textOfRun(client, dialect, server, request)
      const proven = replayable === 'probe' ? await provesReplay(run, slots, server) : replayable
      const health = new Health(asked, (reason) => {
        this.up = undefined
        this.closing = client.close(reason)
        onDown(reason)
      })
      this.up = { client, server, health }
      return { ...server, slots, replayable: proven }
    } catch (error) {
      await client.close(stopped())
      throw error
    }
  }

  async countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    const { client, server } = this.running()
    return this.parts.dialect.count(client, prompt, server, signal)
  }

  async generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const { client, server, health } = this.running()
    let parts = 0
    const counted = (part: Part): void => {
      parts++
      onPart(part)
    }
    for (let tries = 0; ; tries++) {
      try {
        return await generateOnce(client, this.parts.dialect, server, { request, onPart: counted, signal })
      } catch (error) {
        if (!(error instanceof EngineFault)) throw error
        const wait_ms = error.kind === 'busy' && parts === 0 ? busy_ms[tries] : undefined
        if (wait_ms === undefined) {
          if (error.retriable && error.kind !== 'busy') await health.doubt()
          signal.throwIfAborted()
          throw error
        }
        await pause(this.parts.clock, Math.min(longest_wait_ms, error.retry_after_ms ?? wait_ms), signal)
      }
    }
  }

  async embed(inputs: readonly string[], _seed: number, signal: AbortSignal): Promise<Embeddings> {
    const { client, server } = this.running()
    const embeddings = await this.parts.dialect.embed?.(client, inputs, server, signal)
    if (embeddings === undefined) throw new EngineFault('refused', 'this engine has no embeddings')
    if (embeddings.vectors.length !== inputs.length) throw unfinished()
    return embeddings
  }

  async rerank(query: string, documents: readonly string[], _seed: number, signal: AbortSignal): Promise<Scores> {
    const { client, server } = this.running()
    const ranked = await this.parts.dialect.rerank?.(client, query, documents, server, signal)
    if (ranked === undefined) throw new EngineFault('refused', 'this engine cannot rerank')
    return ranked
  }

  async stop(): Promise<void> {
    const { client } = this
    this.up?.health.stop()
    this.up = undefined
    this.client = undefined
    if (client !== undefined) this.closing = client.close(stopped())
    await this.closing
  }

  private running(): Up {
    if (this.up === undefined) throw new EngineError('the engine is not up', { retriable: true })
    return this.up
  }
}

const stopped = (): EngineFault => new EngineFault('broken', 'the engine was given up')

interface Run {
  readonly request: GenerateRequest
  readonly onPart: (part: Part) => void
  readonly signal: AbortSignal
}

async function generateOnce(client: EngineClient, dialect: Dialect, server: ServerProps, run: Run): Promise<GenerateResult> {
  const { path, body, framing, reader } = dialect.generation(run.request, server, run.onPart)
  await client.stream(path, body, answerSink(framing, reader), run.signal)
  return reader.result()
}

async function textOfRun(client: EngineClient, dialect: Dialect, server: ServerProps, request: GenerateRequest): Promise<string> {
  let text = ''
  const onPart = (part: Part): void => void (text += part.text)
  await generateOnce(client, dialect, server, { request, onPart, signal: new AbortController().signal })
  return text
}
