import type { Part } from '../../domain/stream/part.ts'
import { aborted, type Clock } from '../../ports/clock.ts'
import type { Engine, GenerateRequest, GenerateResult } from '../../ports/engine.ts'
import type { EarlyRun } from './runs.ts'

/**
 * The engine is called while the acceptance of a task is on its way to disk: its slot is taken, and its parts wait here until a run of the task
 * takes the call over.
 */
export class EarlyCall implements Pick<Engine, 'generate'> {
  readonly run: EarlyRun
  private readonly stop = new AbortController()
  private readonly result: Promise<GenerateResult>
  private onPart: (part: Part) => void
  private held: Part[] = []

  constructor(run: EarlyRun, request: GenerateRequest) {
    const { replica } = run
    this.run = run
    replica.acquire()
    this.onPart = (part) => void this.held.push(part)
    this.result = replica.engine.generate(request, (part) => this.onPart(part), this.stop.signal)
    // Until a run takes it over nobody waits for it.
    this.result.catch(() => undefined)
  }

  /** The call as a run of the task sees it: from its first part on. @see Engine.generate */
  generate(_request: GenerateRequest, onPart: (part: Part) => void, signal: AbortSignal): Promise<GenerateResult> {
    const abort = (): void => this.stop.abort(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    const { held } = this
    this.held = []
    this.onPart = onPart
    for (const part of held) onPart(part)
    return this.result
  }

  /** The task was not accepted: the call is aborted, and the slot free when the engine confirms that. @param abort_ms time it has for it */
  async drop(abort_ms: number, clock: Clock): Promise<void> {
    this.onPart = () => undefined
    this.stop.abort(new Error('the task was not accepted'))
    const over = this.result.then(
      () => undefined,
      () => undefined,
    )
    const deaf = new AbortController()
    const cancel = clock.after(abort_ms, () => deaf.abort())
    await Promise.race([over, aborted(deaf.signal)])
    cancel()
    if (deaf.signal.aborted) void this.run.replica.fail(new Error(`the engine did not confirm an abort within ${abort_ms} ms`))
    await over
    this.run.replica.release()
  }
}
