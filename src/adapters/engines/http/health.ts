import { pause, type Clock } from '../../../ports/clock.ts'
import type { EngineClient } from './client.ts'
import { EngineFault } from './faults.ts'

/** How often a server is asked whether it is well, ms. */
const every_ms = 2000
/** How long it may take to answer, ms. */
const limit_ms = 5000
/** How long one may take that has just failed a task, ms. */
const doubt_ms = 1000
/** Pause between questions while it loads its model, ms. */
const loading_ms = 250
/** Answers in a row that have to fail. */
const strikes = 2

export interface HealthParts {
  readonly client: EngineClient
  readonly path: string
  readonly clock: Clock
  /** Whether the answer is of the server that is watched: one that is replaced quickly is never seen to be away. */
  readonly isSame?: ((answer: string) => boolean) | undefined
}

/** Watches a server that is up, until it is not any more or `stop` is called. */
export class Health {
  private readonly parts: HealthParts
  private readonly onDown: (reason: EngineFault) => void
  private readonly stopTimer: () => void
  private readonly over = new AbortController()
  private failures = 0
  private heard: number
  private asking = false

  /** @param onDown called at most once */
  constructor(parts: HealthParts, onDown: (reason: EngineFault) => void) {
    this.parts = parts
    this.onDown = onDown
    this.heard = parts.client.heard
    this.stopTimer = parts.clock.every(every_ms, () => void this.check())
  }

  stop(): void {
    this.stopTimer()
    this.over.abort(new Error('the watch is over'))
  }

  /** Asks at once, after a call that failed: whoever tries again should know whether there is anybody. */
  async doubt(): Promise<void> {
    try {
      await this.look(doubt_ms)
    } catch (error) {
      this.down(error)
    }
  }

  private async look(limit_ms: number): Promise<void> {
    const answer = await ask(this.parts, limit_ms, this.over.signal)
    if (answer !== undefined && this.parts.isSame?.(answer) === false)
      this.down(new EngineFault('failed', 'the engine has another model or other settings now'))
  }

  private async check(): Promise<void> {
    const { client } = this.parts
    // A server that is busy may be slow to answer; while tokens come it is well.
    const talks = client.heard !== this.heard
    this.heard = client.heard
    if (this.asking || talks) return
    this.asking = true
    try {
      await this.look(limit_ms)
      this.failures = 0
    } catch (error) {
      if (++this.failures >= strikes) this.down(error)
    } finally {
      this.heard = client.heard
      this.asking = false
    }
  }

  private down(error: unknown): void {
    if (this.over.signal.aborted) return
    this.stop()
    this.onDown(
      error instanceof EngineFault ? error : new EngineFault('unreachable', 'the engine does not say that it is well', { cause: error }),
    )
  }
}

/** A server that is there and says that it is not ready. */
export const whileLoading = ({ status }: EngineFault): boolean => status === 503

/** A server whose process is starting: any failure but that of a wrong key may pass. */
export const whileComing = ({ status }: EngineFault): boolean => status !== 401 && status !== 403

/**
 * Waits until a server is up.
 * @param passes whether it is worth asking again after this failure
 * @throws EngineFault one that does not pass; the signal's reason
 */
export async function untilUp(parts: HealthParts, passes: (fault: EngineFault) => boolean, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await ask(parts, limit_ms, signal)
      return
    } catch (error) {
      if (!(error instanceof EngineFault) || signal.aborted || !passes(error)) throw error
    }
    await pause(parts.clock, loading_ms, signal)
  }
}

/** Other statuses speak of the key, the model, the call or how often it is asked, and not of the server. */
const isUnwell = ({ status = 0 }: EngineFault): boolean => status >= 500

const unwell = ({ status = 0, cause }: EngineFault): EngineFault =>
  new EngineFault('failed', `the engine says that it is not well (HTTP ${status})`, { cause, status })

/** What it answers; undefined where it says that it is asked too often. */
async function ask({ client, path, clock }: HealthParts, limit_ms: number, signal: AbortSignal): Promise<string | undefined> {
  const limit = new AbortController()
  const abort = (): void => limit.abort(signal.reason)
  const cancel = clock.after(limit_ms, () => limit.abort(new EngineFault('unreachable', `the engine did not answer within ${limit_ms} ms`)))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await client.text(path, limit.signal)
  } catch (error) {
    // Who says that it is asked too often is there.
    if (error instanceof EngineFault && error.status === 429) return undefined
    throw error instanceof EngineFault && isUnwell(error) ? unwell(error) : error
  } finally {
    cancel()
    signal.removeEventListener('abort', abort)
  }
}
