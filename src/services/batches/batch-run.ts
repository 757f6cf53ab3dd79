import { become, isDone, isOver } from '../../domain/batches/batch.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import { wallNow, type Clock } from '../../ports/clock.ts'
import type { AskLine, OpenLine, RefusalOf } from './ask-line.ts'
import { LineCheck, readLine, type BatchLine } from './batch-line.ts'
import type { BatchResults } from './batch-results.ts'
import { restAfter, sleep } from './rest.ts'

/** Failed runs after which a line is given up; one that was displaced has not failed. */
const most_failures = 3

/** Longest and shortest pause before a line is offered again, ms. */
const pause_ms = { least: 250, most: 30_000 }

/** What a batch at work stands on. */
export interface RunParts {
  readonly results: BatchResults
  /** The lines of its input, from the first on; those without anything in them left out. */
  readonly lines: () => AsyncIterable<{ readonly text: string; readonly number: number }>
  readonly ask: AskLine
  readonly refusalOf: RefusalOf
  /** Cancels the tasks of the batch that have not ended. */
  readonly cancelTasks: () => Promise<void>
  readonly clock: Clock
  /** Lines that are at work at once. */
  readonly window: number
  /** Whether somebody else is waiting for answers now. */
  readonly beside: () => boolean
}

/** A batch at work: feeds its lines into the queue a few at a time, and writes what they come to. */
export class BatchRun {
  private readonly parts: RunParts
  private readonly flying = new Set<Promise<void>>()
  private onFree: () => void = () => undefined
  /** Aborted where no more lines are to be fed: the daemon stops, or the batch is cancelled or has expired. */
  private readonly feeding = new AbortController()
  private closing: 'expired' | 'cancelled' | 'stopped' | undefined
  /** Why its work cannot go on. */
  private broken: Error | undefined

  constructor(parts: RunParts) {
    this.parts = parts
  }

  /** Works until the batch is over or the daemon stops. @throws Error where it cannot go on; the batch has failed then */
  async work(): Promise<void> {
    const { results, clock } = this.parts
    const left_ms = Math.max(0, results.batch.expires_at - wallNow(clock))
    const cancelExpiry = clock.after(left_ms, () => void this.close('expired'))
    try {
      if (left_ms === 0) await this.close('expired')
      if (results.batch.status === 'cancelling') await this.close('cancelled')
      if (results.batch.status === 'validating') await this.validate()
      if (!isOver(results.batch)) await this.feed()
      if (this.broken !== undefined) throw this.broken
      await this.finish()
    } catch (error) {
      if (this.stopped) return
      this.feeding.abort()
      await this.parts.cancelTasks()
      await Promise.all(this.flying)
      const problem = { code: 'server_error', message: 'The batch cannot go on; the log says why.', param: null, line: null }
      await results.change((batch) => become({ ...batch, problems: [problem] }, 'failed', wallNow(clock)))
      throw error
    } finally {
      cancelExpiry()
    }
  }

  /** Ends the batch early. Resolves when its tasks are cancelled; what has been answered is written all the same. */
  async close(how: 'expired' | 'cancelled' | 'stopped'): Promise<void> {
    if (this.closing !== undefined && how !== 'stopped') return
    this.closing = how
    this.feeding.abort()
    if (how !== 'stopped') await this.parts.cancelTasks()
    else this.parts.results.stop()
  }

  private get stopped(): boolean {
    return this.closing === 'stopped'
  }

  private async validate(): Promise<void> {
    const { results, lines, clock } = this.parts
    const check = new LineCheck(results.batch.endpoint)
    for await (const { text, number } of lines()) {
      if (this.closing !== undefined) return
      check.take(text, number)
    }
    check.end()
    const { total, problems } = check
    await results.change((batch) => become({ ...batch, total, problems }, problems.length > 0 ? 'failed' : 'in_progress', wallNow(clock)))
  }

  private async feed(): Promise<void> {
    let line = -1
    if (this.closing !== undefined) return
    for await (const { text } of this.parts.lines()) {
      line++
      if (isDone(this.parts.results.batch, line)) continue
      while (this.flying.size >= this.parts.window) await new Promise<void>((resolve) => (this.onFree = resolve))
      if (this.feeding.signal.aborted) break
      this.fly(line, text)
    }
    await Promise.all(this.flying)
  }

  private fly(line: number, text: string): void {
    const flight = this.lineOf(line, text)
      .catch((error: unknown) => {
        this.broken ??= error instanceof Error ? error : new Error(String(error))
        this.feeding.abort()
      })
      .finally(() => {
        this.flying.delete(flight)
        this.onFree()
      })
    this.flying.add(flight)
  }

  /** Has a line answered, and writes what came of it. */
  private async lineOf(line: number, text: string): Promise<void> {
    const { results, refusalOf, clock, beside } = this.parts
    const { batch_id, endpoint } = results.batch
    const request = readLine(text, endpoint)
    if ('code' in request) throw new Error(`line ${line} of ${batch_id} is not what it was when it was checked: ${request.message}`)
    const id = `${batch_id}_${line + 1}`
    const said = await this.answerTo(id, request)
    if (said === undefined) return
    const { outcome, response } =
      'error' in said
        ? { outcome: 'failed' as const, response: refusalOf(said.error, endpoint) }
        : { outcome: 'completed' as const, response: { status_code: 200, body: said.body } }
    const written = { id, custom_id: request.custom_id, response: { ...response, request_id: said.task_id }, error: null }
    const answered_at = clock.now()
    await results.add({ line, outcome, text: JSON.stringify(written) })
    const rest_ms = beside() ? restAfter(clock.now() - answered_at) : 0
    if (rest_ms > 0) await sleep(clock, rest_ms, this.feeding.signal)
  }

  /**
   * The answer to a line, or why it failed; undefined where the batch ends before. Tasks are named by batch, line and run, so that after a crash
   * a line finds the task that it had.
   */
  private async answerTo(
    id: string,
    { body }: BatchLine,
  ): Promise<({ task_id: string } & ({ body: unknown } | { error: DomainError })) | undefined> {
    let failures = 0
    for (let run = 1; ; run++) {
      const task_id = run === 1 ? id : `${id}.${run}`
      const open = await this.admitted(task_id, body)
      if (open === undefined) return undefined
      if (open instanceof DomainError) return { task_id, error: open }
      try {
        return { task_id, body: await this.before(open) }
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        if (this.closing !== undefined) return undefined
        if (error.kind !== 'nothing_to_drop' && (!error.retriable || ++failures >= most_failures)) return { task_id, error }
        if (!(await this.pause(error))) return undefined
      }
    }
  }

  /** The answer, unless the daemon stops before it is there. */
  private async before({ answer, close }: OpenLine): Promise<unknown> {
    const { signal } = this.feeding
    const { promise, reject } = Promise.withResolvers<never>()
    const leave = (): void => {
      if (!this.stopped) return
      close()
      reject(new DomainError('pool_unready', 'The daemon is stopping.'))
    }
    signal.addEventListener('abort', leave)
    try {
      if (this.closing !== undefined) await this.parts.cancelTasks()
      leave()
      return await Promise.race([answer, promise])
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** The task of a line once there is room for it; undefined where the batch ends before. */
  private async admitted(task_id: string, body: unknown): Promise<OpenLine | DomainError | undefined> {
    const { ask, results } = this.parts
    const { owner, endpoint } = results.batch
    const principal: Principal = { name: owner, roles: ['data'] }
    for (;;) {
      if (this.feeding.signal.aborted) return undefined
      try {
        return await ask({ principal, endpoint, task_id, body })
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        if (!error.retriable) return error
        if (!(await this.pause(error))) return undefined
      }
    }
  }

  /** Returns whether to go on after it. */
  private pause({ details: { retry_after_ms = 1000 } }: DomainError): Promise<boolean> {
    const wait_ms = Math.min(pause_ms.most, Math.max(pause_ms.least, retry_after_ms))
    return sleep(this.parts.clock, wait_ms, this.feeding.signal)
  }

  private async finish(): Promise<void> {
    const { results, clock } = this.parts
    if (isOver(results.batch) || this.stopped) return
    if (this.closing === 'cancelled') return results.change((batch) => become(batch, 'cancelled', wallNow(clock)))
    if (this.closing === 'expired') await this.expire()
    const last = this.closing === 'expired' ? 'expired' : 'completed'
    await results.change((batch) => become(become(batch, 'finalizing', wallNow(clock)), last, wallNow(clock)))
  }

  /** Writes that every line that is left has expired. */
  private async expire(): Promise<void> {
    const { results, lines } = this.parts
    const { batch_id, endpoint } = results.batch
    const error = { code: 'batch_expired', message: 'This request could not be executed before the completion window expired.' }
    let line = -1
    let written: Promise<void>[] = []
    for await (const { text } of lines()) {
      line++
      const request = readLine(text, endpoint)
      if (isDone(results.batch, line) || 'code' in request) continue
      const said = { id: `${batch_id}_${line + 1}`, custom_id: request.custom_id, response: null, error }
      written.push(results.add({ line, outcome: 'failed', text: JSON.stringify(said) }))
      if (written.length < this.parts.window) continue
      await Promise.all(written)
      written = []
    }
    await Promise.all(written)
  }
}
