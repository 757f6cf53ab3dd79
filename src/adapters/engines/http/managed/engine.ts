import type { Part } from '../../../../domain/stream/part.ts'
import {
  EngineError,
  type AskedOfEngine,
  type Engine,
  type EngineProps,
  type GenerateRequest,
  type GenerateResult,
  type Objection,
  type Prompt,
} from '../../../../ports/engine.ts'
import type { HttpEngine } from '../engine.ts'
import { leasePort, type PortLease } from './lease-port.ts'
import { ProcessGroup } from './process-group.ts'
import type { RunCommand } from './protocol.ts'

/** How often a start is tried whose free port somebody else took first. */
const most_tries = 3

/** What a server that the daemon starts is made with. */
export interface ManagedEngineParts {
  /** What is run, once for each start; rejects where the model has no file, and says why. */
  readonly command: (port: number) => Promise<RunCommand>
  /** The port it always listens on; a free one at each start if left out. */
  readonly port?: number | undefined
  /** The engine of the server that listens on this port. */
  readonly engineAt: (port: number) => HttpEngine
  /** Another model cannot be loaded beside this one. */
  readonly alone: boolean
  readonly onOutput: (line: string) => void
}

/** One run of the server. */
interface Run {
  readonly group: ProcessGroup
  readonly engine: HttpEngine
  readonly lease: PortLease
}

/** An engine that is a server of ours: its processes are started, watched and ended with it. What it is asked is as of any server. */
export class ManagedEngine implements Engine {
  private readonly parts: ManagedEngineParts
  private run: Run | undefined
  /** Counts starts and stops: a start that a stop has overtaken is over. */
  private starts = 0
  private closing: Promise<void> = Promise.resolve()

  constructor(parts: ManagedEngineParts) {
    this.parts = parts
  }

  async start(onDown: (reason: Error) => void): Promise<EngineProps> {
    const begun = ++this.starts
    for (let tries = 1; ; tries++) {
      const run = await this.launch(begun)
      try {
        const props = await this.up(run, onDown)
        return this.parts.alone ? { ...props, reload: 'swap' } : props
      } catch (error) {
        await end(run)
        if (this.run === run) this.run = undefined
        const unlucky = tries < most_tries && this.parts.port === undefined && (await run.lease.taken())
        if (!unlucky || begun !== this.starts) throw error
      }
    }
  }

  objection(asked: AskedOfEngine): Objection | undefined {
    return this.run?.engine.objection(asked)
  }

  countTokens(prompt: Prompt, signal: AbortSignal): Promise<number> {
    return this.engine.countTokens(prompt, signal)
  }

  generate(request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    return this.engine.generate(request, onPart, signal)
  }

  embed(...asked: Parameters<HttpEngine['embed']>): ReturnType<HttpEngine['embed']> {
    return this.engine.embed(...asked)
  }

  rerank(...asked: Parameters<HttpEngine['rerank']>): ReturnType<HttpEngine['rerank']> {
    return this.engine.rerank(...asked)
  }

  kvUsage(): number | undefined {
    return this.run?.engine.kvUsage()
  }

  async stop(): Promise<void> {
    const { run } = this
    this.starts++
    this.run = undefined
    if (run !== undefined) this.closing = end(run)
    await this.closing
  }

  private get engine(): HttpEngine {
    if (this.run === undefined) throw notRunning()
    return this.run.engine
  }

  private async launch(begun: number): Promise<Run> {
    const lease = await leasePort(this.parts.port)
    try {
      const command = await this.parts.command(lease.port)
      if (begun !== this.starts) throw notRunning()
      const group = new ProcessGroup(command, this.parts.onOutput)
      return (this.run = { group, lease, engine: this.parts.engineAt(lease.port) })
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** Resolves when the server answers. From then on `onDown` is told of the first of: its process ends, or does not answer any more. */
  private async up(run: Run, onDown: (reason: Error) => void): Promise<EngineProps> {
    const { group, engine } = run
    const died = group.ended.then((how) => new EngineError(`the process of the engine ${how}`, { retriable: true }))
    let told = false
    const tell = (reason: Error): void => {
      if (told || this.run !== run) return
      told = true
      onDown(reason)
    }
    const ends = died.then((reason) => {
      throw reason
    })
    const props = await Promise.race([engine.start(tell), ends])
    void died.then(async (reason) => {
      tell(reason)
      await engine.stop()
    })
    return props
  }
}

/** Ends a run; resolves when nothing of it is left. */
async function end({ engine, group, lease }: Run): Promise<void> {
  await engine.stop()
  await group.stop()
  lease.release()
}

const notRunning = (): EngineError => new EngineError('the engine is not up', { retriable: true })
