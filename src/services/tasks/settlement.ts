import { sealArtifact, type StoredArtifact } from '../../domain/artifact.ts'
import { costNano, nothingSpent } from '../../domain/accounts/budget.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import type { Failure } from '../../domain/errors.ts'
import type { EndEvent, ErrorEvent, TerminalEvent } from '../../domain/stream/task-events.ts'
import type { TaskOutcome } from '../../domain/task.ts'
import { dayOf, usageOf } from '../../domain/usage.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { GenerateResult } from '../../ports/engine.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Ending } from './ending.ts'
import { InTurn } from './in-turn.ts'
import { lifeOf } from './life.ts'
import type { LiveTask } from './live-task.ts'
import type { LiveTasks } from './live-tasks.ts'
import { placeOf, progressOf } from './progress.ts'
import { transcriptOf } from './transcript.ts'

/** Pause before a terminal event that could not be made durable is tried again, ms. */
const retry_ms = 1000

/** What settlement works with. */
export interface SettlementParts {
  readonly live: LiveTasks
  readonly journal: Pick<Journal, 'commit'>
  readonly clock: Clock
  readonly events: EventSink
}

/** A prepared end: facts to commit, and what to do once they are durable. */
export interface PreparedEnd {
  readonly facts: readonly Fact[]
  publish(): void
}

/** The one way out: a task's end is made durable with its transcript, then published to its readers, once. */
export class Settlement {
  private readonly parts: SettlementParts
  /** Tasks whose end could not be made durable yet; it is tried again. */
  private readonly unwritten = new Set<LiveTask>()
  private readonly ends = new InTurn()
  private readonly retries = new Set<CancelTimer>()
  private stopped = false

  constructor(parts: SettlementParts) {
    this.parts = parts
  }

  /** Whether the end of the task could not be made durable yet. */
  isUnwritten(task: LiveTask): boolean {
    return this.unwritten.has(task)
  }

  /** Ends a claimed task. Resolves when the first attempt is durable and published; goes on trying after a failure. @throws StorageError */
  async settle(task: LiveTask, ending: Ending): Promise<void> {
    const end = this.prepare(task, ending)
    try {
      await this.parts.journal.commit(end.facts)
    } catch (err) {
      const { correlation_id, task_id } = task.accepted
      const message = `The end of task ${task_id} cannot be written; it is tried again.`
      const fields = { correlation_id, task_id, key_name: task.owner, ...task.pool.labels, err }
      this.parts.events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields })
      this.unwritten.add(task)
      this.retry(task, end)
      throw err
    }
    end.publish()
  }

  /**
   * The same in one of the next rounds of the event loop: what there is of answers goes out, and engines hear that they may stop, before any end is
   * worked on.
   */
  settleInTurn(task: LiveTask, ending: Ending): Promise<void> {
    return this.ends.run(() => this.settle(task, ending))
  }

  /** The same for somebody who does not wait: a failure to write is told and tried again. */
  settleSoon(task: LiveTask, ending: Ending): void {
    this.settleInTurn(task, ending).catch(() => undefined)
  }

  /** Builds the end of a claimed task; nothing is written or published yet. */
  prepare(task: LiveTask, ending: Ending): PreparedEnd {
    const { pool, owner } = task
    const { clock } = this.parts
    const now = Math.floor(clock.now())
    const finished_at = Math.floor(clock.wallOf(now))
    const tokens_in = ending.kind === 'completed' ? ending.result.tokens_in : task.accepted.prompt_tokens
    const tokens_out = ending.kind === 'completed' ? ending.result.tokens_out : task.log.partCount
    const ran = task.started_at !== undefined
    const usage = ran ? { tokens_in, tokens_out } : {}
    const used = ran ? { tokens: tokens_in + tokens_out, cost_nano: costNano(pool.config.prices, tokens_in, tokens_out) } : nothingSpent
    // What a displacement does can be taken back, so its reservation is settled only when it is published.
    const displaced = ending.kind === 'error' && ending.error.kind === 'displaced'
    const settled = displaced ? [] : task.settle(used)
    // It goes out with the end.
    task.log.report(progressOf(task, now), true)
    const transcript = sealArtifact(
      owner,
      transcriptOf(task, ending, usage, (at) => clock.wallOf(at), now),
      finished_at,
    )
    const output = ending.kind === 'completed' && ending.output !== undefined ? sealArtifact(owner, ending.output, finished_at) : undefined
    const started_at = task.started_at === undefined ? undefined : Math.floor(clock.wallOf(task.started_at))
    const outcome = outcomeOf(task, ending, {
      ...usage,
      transcript,
      output,
      finished_at,
      now,
      ...(started_at === undefined ? {} : { started_at }),
    })
    const terminal =
      ending.kind === 'completed' ? { end: endEvent(task, ending.result, outcome, now) } : { error: errorEvent(task, ending.error) }
    const tokens_in_cached = ending.kind === 'completed' ? (ending.result.tokens_in_cached ?? 0) : 0
    const more = usageOf({
      owner,
      model_ref: pool.config.model,
      day: dayOf(finished_at),
      tasks: 1,
      ...usage,
      tokens_in_cached,
      cost_nano: used.cost_nano,
    })
    const artifacts = output === undefined ? [transcript] : [transcript, output]
    return {
      facts: [
        ...artifacts.map((artifact) => ({ kind: 'artifact', artifact }) as const),
        task.finish(outcome, terminal),
        ...settled,
        { kind: 'usage', more },
      ],
      publish: () => {
        this.publish(task, ending, outcome, terminal)
      },
    }
  }

  private publish(task: LiveTask, ending: Ending, outcome: TaskOutcome, terminal: TerminalEvent): void {
    task.seal(outcome, terminal)
    this.parts.live.delete(task)
    this.unwritten.delete(task)
    const error = ending.kind === 'completed' ? undefined : ending.error
    this.parts.events.emit({
      type: 'task_ended',
      task: placeOf(task),
      outcome,
      late: (outcome.life?.ended ?? 0) >= task.head.deadline_ms,
      decode_ms: task.times.decode_ms,
      error: error === undefined ? undefined : { code: error.code, message: error.message, cause: error.cause },
      reason: ending.kind === 'completed' ? undefined : ending.reason,
    })
  }

  /** Tries no more to write what could not be written: the daemon has stopped, and the next start finds those tasks unfinished. */
  stop(): void {
    this.stopped = true
    for (const cancel of this.retries) cancel()
  }

  private retry(task: LiveTask, end: PreparedEnd): void {
    if (this.stopped) return
    const cancel = this.parts.clock.after(retry_ms, () => {
      this.retries.delete(cancel)
      this.parts.journal.commit(task.session.asOfNow(end.facts)).then(
        () => {
          end.publish()
        },
        () => {
          this.retry(task, end)
        },
      )
    })
    this.retries.add(cancel)
  }
}

interface OutcomeParts {
  readonly tokens_in?: number
  readonly tokens_out?: number
  readonly transcript: StoredArtifact
  readonly output: StoredArtifact | undefined
  readonly started_at?: number
  readonly finished_at: number
  readonly now: number
}

function outcomeOf(
  task: LiveTask,
  ending: Ending,
  { transcript, output, started_at, finished_at, now, ...usage }: OutcomeParts,
): TaskOutcome {
  const canceled = ending.kind === 'error' && ending.error.kind === 'canceled'
  return {
    state: ending.kind === 'completed' ? 'completed' : canceled ? 'canceled' : 'failed',
    ...(started_at === undefined ? {} : { started_at }),
    finished_at,
    ...(task.replica_id === undefined ? {} : { replica_id: task.replica_id }),
    ...usage,
    artifact_id: transcript.id,
    ...(output === undefined ? {} : { result_artifact_id: output.id }),
    ...(ending.kind === 'completed' ? { finish_reason: ending.result.finish_reason } : { error: ending.error.taskError }),
    life: lifeOf(task, now, ending.kind === 'completed' ? undefined : ending.error.taskError),
  }
}

function errorEvent(task: LiveTask, error: Failure): ErrorEvent {
  const { retry_after_ms } = error.details
  const { engine } = task.accepted.request
  return { ...error.taskError, engine, pool_id: task.pool.id, ...(retry_after_ms === undefined ? {} : { retry_after_ms }) }
}

function endEvent(task: LiveTask, result: GenerateResult, { artifact_id, result_artifact_id }: TaskOutcome, now: number): EndEvent {
  const { accepted, accepted_on } = task
  const { tokens_in_cached, tokens_reasoning, stop_sequence } = result
  // Servers have stop texts of their own, too.
  const stopped = stop_sequence !== undefined && accepted.request.sampling?.stop?.includes(stop_sequence) === true
  return {
    tokens_in: result.tokens_in,
    tokens_out: result.tokens_out,
    ...(tokens_in_cached === undefined ? {} : { tokens_in_cached }),
    ...(tokens_reasoning === undefined ? {} : { tokens_reasoning }),
    queue_ms: Math.round((task.started_at ?? now) - accepted_on),
    first_token_ms: Math.round((task.times.first_at ?? now) - accepted_on),
    decode_ms: task.times.decode_ms ?? 0,
    finish_reason: result.finish_reason,
    ...(stopped ? { stop_sequence } : {}),
    artifact_id: artifact_id ?? '',
    ...(result_artifact_id === undefined ? {} : { result_artifact_id }),
    replica_id: task.replica_id ?? 'none',
  }
}
