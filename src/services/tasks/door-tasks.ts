import { digestOf } from '../../domain/artifact.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import type { EventFormat } from '../../domain/stream/event-format.ts'
import type { FrameSource } from '../../domain/stream/frame-source.ts'
import type { ErrorEvent } from '../../domain/stream/task-events.ts'
import type { AcceptedTask, TaskRequest } from '../../domain/task.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { Admission } from './admission.ts'
import type { Cancellation } from './cancellation.ts'
import type { DoorRules } from './door-rules.ts'
import type { Streams } from './streams.ts'

/** How a door of another API writes one answer, and what it has seen of it. */
export interface AnswerFormat extends EventFormat {
  readonly own: true
  /** Something of the answer was written. */
  readonly begun: boolean
  /** What the task ended with, where it did not complete. */
  readonly failure: ErrorEvent | undefined
  /** @see FrameSource */
  readonly sign?: string | undefined
}

/** What a door's request asks for. */
export interface DoorRequest extends DoorRules {
  readonly principal: Principal
  readonly request: TaskRequest
  readonly correlation_id: string
  /** The task goes on when its reader goes. */
  readonly stays: boolean
}

/** A task that answers a door's request. */
export interface DoorTask {
  readonly task_id: string
  /** Milliseconds since the epoch. */
  readonly accepted_at: number
  /** As it was asked for, or the only one there is. */
  readonly model: string
  /** As counted at admission. */
  readonly prompt_tokens: number
  /** It was running already: the same request came before, and its reader has gone. */
  readonly attached: boolean
}

/** What door tasks work with. */
export interface DoorTasksParts {
  readonly admission: Pick<Admission, 'admit'>
  readonly streams: Pick<Streams, 'open'>
  readonly cancellation: Pick<Cancellation, 'cancel'>
  readonly clock: Clock
  /** How long a task waits for its reader to come back, ms. */
  readonly linger_ms: number
}

/** What makes two requests the same. */
type Asked = Pick<DoorRequest, 'request' | 'most_tokens' | 'kept'>

/** A task whose reader has gone. */
interface Left {
  readonly task_id: string
  readonly principal: Principal
  readonly session_id: string | undefined
  readonly digest: string
  readonly cancelTimer: CancelTimer
}

/**
 * Tasks of doors live as long as their connection: one whose reader has gone is cancelled after a while, at once when its session sends
 * something else. The same request within that time gets its answer from the start, for clients send again what was cut off.
 */
export class DoorTasks {
  private readonly parts: DoorTasksParts
  /** By owner. */
  private readonly left = new Map<string, Set<Left>>()
  private stopped = false

  constructor(parts: DoorTasksParts) {
    this.parts = parts
  }

  /**
   * Admits the task of a request, or finds the one that runs for it already.
   * @throws DomainError every refusal
   */
  async open<F extends AnswerFormat>(
    { principal, request, correlation_id, stays, ...rules }: DoorRequest,
    format: (task: DoorTask) => F,
  ): Promise<DoorAnswer<F>> {
    const { most_tokens, kept } = rules
    const asked: Asked = { request, ...(most_tokens === undefined ? {} : { most_tokens }), ...(kept === undefined ? {} : { kept }) }
    const found = this.twinOf(principal, asked)
    const { task_id } = found ?? (await this.parts.admission.admit(principal, request, correlation_id, rules))
    const taskOf = ({ accepted_at, prompt_tokens, request: { model_ref: model } }: AcceptedTask): DoorTask => ({
      task_id,
      accepted_at,
      model,
      prompt_tokens,
      attached: found !== undefined,
    })
    let answer: F | undefined
    const { reader, task } = await this.parts.streams.open(principal, task_id, { kind: 'start' }, (task) => (answer = format(taskOf(task))))
    if (answer === undefined) throw new Error('a stream was opened without its format')
    const onLeave = (): void => {
      if (!stays && !reader.done) this.leave(task_id, principal, asked)
    }
    return { ...taskOf(task), format: answer, source: new AnswerSource(reader, answer, onLeave) }
  }

  /** Waits for no reader any more: the daemon has stopped, and its tasks stay as the journal has them. */
  stop(): void {
    this.stopped = true
    for (const own of this.left.values()) for (const { cancelTimer } of own) cancelTimer()
  }

  private leave(task_id: string, principal: Principal, asked: Asked): void {
    if (this.stopped) return
    const digest = digestOf(asked)
    const cancelTimer = this.parts.clock.after(this.parts.linger_ms, () => this.end(left))
    const left: Left = { task_id, principal, session_id: asked.request.session_id, digest, cancelTimer }
    const own = this.left.get(principal.name) ?? new Set()
    this.left.set(principal.name, own.add(left))
  }

  /** The task that waits for this very request. One of the same session that waits for another is cancelled. */
  private twinOf({ name }: Principal, asked: Asked): Left | undefined {
    const own = this.left.get(name)
    if (own === undefined) return undefined
    const digest = digestOf(asked)
    for (const left of own) {
      if (left.digest === digest) {
        this.forget(left)
        return left
      }
      if (left.session_id !== undefined && left.session_id === asked.request.session_id) this.end(left)
    }
    return undefined
  }

  private end(left: Left): void {
    this.forget(left)
    // It may have ended, and a cancel that is not durable yet is in force all the same.
    this.parts.cancellation.cancel(left.principal, left.task_id).catch(() => undefined)
  }

  private forget(left: Left): void {
    left.cancelTimer()
    const own = this.left.get(left.principal.name)
    own?.delete(left)
    if (own?.size === 0) this.left.delete(left.principal.name)
  }
}

/** A task and the frames of its answer. */
export interface DoorAnswer<F> extends DoorTask {
  readonly source: AnswerSource
  /** What writes them. */
  readonly format: F
}

/** The frames of an answer for one connection. */
export class AnswerSource implements FrameSource {
  private readonly reader: FrameSource
  private readonly format: AnswerFormat
  private onLeave: (() => void) | undefined

  constructor(reader: FrameSource, format: AnswerFormat, onLeave: () => void) {
    this.reader = reader
    this.format = format
    this.onLeave = onLeave
  }

  get done(): boolean {
    return this.reader.done
  }

  get sign(): string | undefined {
    return this.format.sign
  }

  take(max_chars: number): string {
    return this.reader.take(max_chars)
  }

  onReadable(run: () => void): void {
    this.reader.onReadable(run)
  }

  close(): void {
    this.onLeave?.()
    this.onLeave = undefined
    this.reader.close()
  }

  refusal(): DomainError | undefined {
    const { begun, failure } = this.format
    return begun || failure === undefined ? undefined : refusalOf(failure)
  }

  /**
   * Waits for the end, for an answer that is given whole.
   * @throws DomainError where the task did not complete
   */
  async ended(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const read = (): void => {
      while (this.take(Infinity) !== '');
      if (this.done) resolve(undefined)
    }
    this.onReadable(read)
    read()
    await promise
    if (this.format.failure !== undefined) throw refusalOf(this.format.failure)
  }
}

/** A failure of a task as the answer to the request that it is the task of. */
function refusalOf({ code, message, retriable, retry_after_ms, pool_id, engine }: ErrorEvent): DomainError {
  const details = {
    retriable,
    ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
    ...(pool_id === undefined ? {} : { pool_id }),
    ...(engine === undefined ? {} : { engine }),
  }
  // What its engine refuses or has died of three times must not come again by itself, as clients do after a 5xx.
  if (code === 'INVALID_PARAMS' || (code === 'WORKER_RESET' && !retriable)) return new DomainError('invalid_params', message, details)
  if (code === 'BUDGET_EXHAUSTED') return new DomainError('budget_exhausted', message, details)
  if (code === 'DEADLINE_UNMET') return new DomainError('pool_unready', message, details)
  if (code === 'QUEUE_FULL_DROP_LRU') return new DomainError('nothing_to_drop', message, { ...details, policy_label: 'drop-lru' })
  return new DomainError(retriable ? 'pool_unavailable' : 'internal', message, details)
}
