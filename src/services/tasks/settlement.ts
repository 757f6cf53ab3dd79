import { sealArtifact, type StoredArtifact } from '../../domain/artifact.ts'
import { costNano, nothingSpent } from '../../domain/accounts/budget.ts'
import type { DomainError } from '../../domain/errors.ts'
import { endFrame, errorFrame, metricsFrame, type EndEvent } from '../../domain/stream/frames.ts'
import type { TaskOutcome } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import type { GenerateResult } from '../../ports/engine.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Log, Metrics } from '../../ports/telemetry.ts'
import type { Ending } from './ending.ts'
import { newGate, type LiveTask, type LiveTasks } from './live-tasks.ts'
import { progressOf } from './progress.ts'
import { transcriptOf } from './transcript.ts'

/** Pause before a terminal event that could not be made durable is tried again, ms. */
const retry_ms = 1000

/** A prepared end: facts to commit, and what to do once they are durable. */
export interface PreparedEnd {
  readonly facts: readonly Fact[]
  publish(): void
}

/** The one way out: a task's end is made durable with its transcript, then published to its readers, once. */
export class Settlement {
  private readonly live: LiveTasks
  private readonly journal: Pick<Journal, 'commit'>
  private readonly clock: Clock
  private readonly metrics: Metrics
  private readonly log: Log

  constructor(live: LiveTasks, journal: Pick<Journal, 'commit'>, clock: Clock, metrics: Metrics, log: Log) {
    this.live = live
    this.journal = journal
    this.clock = clock
    this.metrics = metrics
    this.log = log
  }

  /**
   * Claims the end of a task: from now on no token comes in and nobody else may end it.
   * @returns false where the task is ending already
   */
  claim(task: LiveTask, silence: boolean): boolean {
    if (task.phase === 'ending') return false
    task.phase = 'ending'
    task.log.freeze(silence)
    return true
  }

  /** Takes `claim` back: the task is queued as before. */
  unclaim(task: LiveTask): void {
    task.phase = 'queued'
    task.log.thaw()
    task.ended.resolve()
    task.ended = newGate()
  }

  /** Ends a claimed task. Resolves when the first attempt is durable and published; goes on trying after a failure. @throws StorageError */
  async settle(task: LiveTask, ending: Ending): Promise<void> {
    const end = this.prepare(task, ending)
    try {
      await this.journal.commit(end.facts)
    } catch (error) {
      this.log.error(
        { ...this.fields(task), err: error, event: 'storage' },
        `The end of task ${task.accepted.task_id} cannot be written; trying again.`,
      )
      task.unwritten = true
      this.retry(end)
      throw error
    }
    end.publish()
  }

  /** Builds the end of a claimed task; nothing is written or published yet. */
  prepare(task: LiveTask, ending: Ending): PreparedEnd {
    const { pool } = task
    // What a displacement does can be taken back, so its reservation is left only when it is published.
    const displaced = ending.kind === 'error' && ending.error.kind === 'displaced'
    const now = Math.floor(this.clock.now())
    const { owner } = task
    const tokens_in = ending.kind === 'completed' ? ending.result.tokens_in : task.accepted.prompt_tokens
    const tokens_out = ending.kind === 'completed' ? ending.result.tokens_out : task.log.tokenCount
    const ran = task.started_at !== undefined
    const usage = ran ? { tokens_in, tokens_out } : {}
    const used = ran ? { tokens: tokens_in + tokens_out, cost_nano: costNano(pool.prices, tokens_in, tokens_out) } : nothingSpent
    const reservation = displaced ? [] : task.session.settle(used)
    task.log.report(metricsFrame(progressOf(task, now)))
    const transcript = sealArtifact(owner, transcriptOf(task, pool.labels, ending, usage, now), now)
    const output = ending.kind === 'completed' && ending.output !== undefined ? sealArtifact(owner, ending.output, now) : undefined
    const canceled = ending.kind === 'error' && ending.error.kind === 'canceled'
    const outcome: TaskOutcome = {
      state: ending.kind === 'completed' ? 'completed' : canceled ? 'canceled' : 'failed',
      ...(task.started_at === undefined ? {} : { started_at: Math.floor(task.started_at) }),
      finished_at: now,
      ...(task.replica_id === undefined ? {} : { replica_id: task.replica_id }),
      ...usage,
      artifact_id: transcript.id,
      ...(output === undefined ? {} : { result_artifact_id: output.id }),
      ...(ending.kind === 'completed' ? { finish_reason: ending.result.finish_reason } : { error: ending.error.taskError }),
    }
    const terminal =
      ending.kind === 'completed'
        ? endFrame(endEvent(task, ending.result, transcript, output, now))
        : errorFrame(this.errorEvent(task, ending.error))
    const artifacts = output === undefined ? [transcript] : [transcript, output]
    return {
      facts: [
        ...artifacts.map((artifact) => ({ kind: 'artifact', artifact }) as const),
        { kind: 'finished', key: task.accepted, outcome, log: task.log.stored(terminal, canceled) },
        ...reservation,
      ],
      publish: () => {
        task.log.seal(terminal, canceled)
        task.session.settle(nothingSpent)
        this.live.delete(task)
        this.record(task, ending, outcome)
        task.ended.resolve()
      },
    }
  }

  private retry(end: PreparedEnd): void {
    this.clock.after(retry_ms, () => {
      this.journal.commit(end.facts).then(
        () => {
          end.publish()
        },
        () => {
          this.retry(end)
        },
      )
    })
  }

  private errorEvent(task: LiveTask, error: DomainError): Parameters<typeof errorFrame>[0] {
    const { retry_after_ms } = error.details
    const { engine } = task.accepted.request
    return { ...error.taskError, engine, pool_id: task.pool.id, ...(retry_after_ms === undefined ? {} : { retry_after_ms }) }
  }

  private record(task: LiveTask, ending: Ending, outcome: TaskOutcome): void {
    const { labels } = task.pool
    const replica = { ...labels, replica_id: task.replica_id ?? 'none' }
    const { priority } = task
    const decode_time_ms = decodeMs(task)
    if (outcome.tokens_in !== undefined) this.metrics.count('tokens_in_total', replica, outcome.tokens_in)
    if (outcome.tokens_out !== undefined) this.metrics.count('tokens_out_total', replica, outcome.tokens_out)
    if (ending.kind === 'error' && ending.reason !== undefined)
      this.metrics.count('tasks_canceled_total', { ...replica, reason: ending.reason })
    if (ending.kind === 'completed' && task.first_token_at !== undefined)
      this.metrics.observe('latency_decode_ms', { ...labels, priority }, decode_time_ms)
    const fields = { ...this.fields(task), tokens_in: outcome.tokens_in, tokens_out: outcome.tokens_out, decode_time_ms }
    const { task_id } = task.accepted
    if (ending.kind === 'completed')
      this.log.info({ ...fields, event: 'end' }, `Task ${task_id} completed with ${outcome.tokens_out ?? 0} tokens.`)
    else if (outcome.state === 'canceled') this.log.info({ ...fields, event: 'cancel' }, `Task ${task_id} was canceled.`)
    else
      this.log.warn(
        { ...fields, code: ending.error.code, err: ending.error.cause, event: 'error' },
        `Task ${task_id} failed: ${ending.error.message}`,
      )
  }

  private fields(task: LiveTask): Record<string, unknown> {
    const { correlation_id, task_id, request, owner, queue_position, predicted_start_ms } = task.accepted
    const { labels } = task.pool
    return {
      correlation_id,
      task_id,
      session_id: request.session_id,
      key_name: owner,
      ...labels,
      replica_id: task.replica_id,
      queue_position,
      predicted_start_ms,
    }
  }
}

const decodeMs = (task: LiveTask): number => Math.round((task.last_token_at ?? 0) - (task.first_token_at ?? task.last_token_at ?? 0))

function endEvent(
  task: LiveTask,
  result: GenerateResult,
  transcript: StoredArtifact,
  output: StoredArtifact | undefined,
  now: number,
): EndEvent {
  const { accepted_at } = task.accepted
  const decode_ms = decodeMs(task)
  return {
    tokens_in: result.tokens_in,
    tokens_out: result.tokens_out,
    queue_ms: Math.round((task.started_at ?? now) - accepted_at),
    first_token_ms: Math.round((task.first_token_at ?? now) - accepted_at),
    decode_ms,
    decode_time_ms: decode_ms,
    finish_reason: result.finish_reason,
    artifact_id: transcript.id,
    ...(output === undefined ? {} : { result_artifact_id: output.id }),
    replica_id: task.replica_id ?? 'none',
  }
}
