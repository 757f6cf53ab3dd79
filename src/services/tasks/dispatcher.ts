import { DomainError } from '../../domain/errors.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import { EngineError } from '../../ports/engine.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Log, Metrics } from '../../ports/telemetry.ts'
import { gaveUp, maxAttempts, type Ending } from './ending.ts'
import type { LiveTask } from './live-tasks.ts'
import { chooseReplica } from '../pools/placement.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { Replica } from '../pools/replica.ts'
import { runOnEngine } from './run.ts'
import type { Settlement } from './settlement.ts'
import { watch } from './watchdog.ts'

/** Pause before the beginning of a run is written again, ms. */
const retry_ms = 1000

/** Puts queued tasks on free slots and sees them through to their end. */
export class Dispatcher {
  private readonly pools: Pools
  private readonly settlement: Settlement
  private readonly journal: Pick<Journal, 'commit'>
  private readonly clock: Clock
  private readonly metrics: Metrics
  private readonly log: Log
  private stopping = false

  constructor(pools: Pools, settlement: Settlement, journal: Pick<Journal, 'commit'>, clock: Clock, metrics: Metrics, log: Log) {
    this.pools = pools
    this.settlement = settlement
    this.journal = journal
    this.clock = clock
    this.metrics = metrics
    this.log = log
  }

  /** Dispatches whenever a slot becomes free, and expires queued tasks at their deadline. Returns how to stop. */
  start(): () => void {
    this.pools.onCapacity = (pool) => this.dispatch(pool)
    const cancel = this.clock.every(100, () => {
      for (const pool of this.pools.serving()) this.expire(pool)
    })
    return () => {
      this.stopping = true
      cancel()
    }
  }

  /** Fills the pool's free slots from its queue. */
  dispatch(pool: Pool): void {
    if (this.stopping) return
    let taken = false
    for (;;) {
      const replica = chooseReplica(pool)
      const task = replica === undefined ? undefined : pool.scheduler.next()
      if (replica === undefined || task === undefined) break
      taken = true
      this.begin(task, pool, replica)
    }
    if (taken) pool.reportDepth()
  }

  private expire(pool: Pool): void {
    for (const task of pool.scheduler.expired(this.clock.now())) {
      if (!pool.scheduler.remove(task) || !this.settlement.claim(task, false)) continue
      const error = new DomainError('expired', `The task waited until its deadline of ${task.accepted.request.deadline_ms} ms.`)
      this.finish(task, { kind: 'error', error, reason: 'deadline' })
      pool.reportDepth()
    }
  }

  private begin(task: LiveTask, pool: Pool, replica: Replica): void {
    const now = this.clock.now()
    task.phase = 'running'
    task.started_at = now
    pool.running.add(task)
    this.metrics.count('tasks_started_total', { ...pool.labels, replica_id: replica.id, priority: task.priority })
    const { correlation_id, task_id, request } = task.accepted
    this.log.info(
      {
        correlation_id,
        task_id,
        session_id: request.session_id,
        key_name: task.owner,
        ...pool.labels,
        replica_id: replica.id,
        queue_ms: Math.round(now - task.accepted.accepted_at),
        event: 'start',
      },
      `Task ${task_id} starts on ${pool.id}/${replica.id}.`,
    )
    replica.acquire()
    const turn = task.session.begin(() =>
      task.abort.abort(new DomainError('budget_exhausted', 'The time budget of the session or the key ran out.')),
    )
    void this.run(task, pool, replica, turn)
  }

  /** Runs the task, again if its engine fails and nothing is lost by it. Never rejects. @param turn facts of its dispatch */
  private async run(task: LiveTask, pool: Pool, replica: Replica, turn: readonly Fact[]): Promise<void> {
    let ending = await this.attempt(task, pool, replica, turn)
    while (this.mayRetry(task, pool, ending) && replica.state === 'ready') ending = await this.attempt(task, pool, replica, [])
    pool.running.delete(task)
    replica.release()
    if (task.phase === 'ending') return
    if (this.mayRetry(task, pool, ending)) {
      task.phase = 'queued'
      delete task.started_at
      this.write(task.session.pause())
      pool.scheduler.requeue(task)
      this.dispatch(pool)
      return
    }
    this.settlement.claim(task, false)
    this.finish(task, ending.kind === 'failed' ? { kind: 'error', error: this.failure(task, pool, ending.cause) } : ending)
  }

  private mayRetry(task: LiveTask, pool: Pool, ending: Ending | Failed): boolean {
    if (task.phase === 'ending' || ending.kind !== 'failed') return false
    if (!(ending.cause instanceof EngineError) || !ending.cause.retriable || task.attempts >= maxAttempts) return false
    return task.log.tokenCount === 0 || pool.props?.replayable === true
  }

  private async attempt(task: LiveTask, pool: Pool, replica: Replica, turn: readonly Fact[]): Promise<Ending | Failed> {
    const { timeouts } = pool.config
    const stop = new AbortController()
    const abort = (): void => {
      stop.abort(task.abort.signal.reason)
    }
    task.abort.signal.addEventListener('abort', abort, { once: true })
    if (task.abort.signal.aborted) abort()
    task.attempts++
    task.replica_id = replica.id
    const { owner, task_id } = task.accepted
    const replayable = replica.props?.replayable === true
    const begun: Fact = {
      kind: 'attempt',
      key: { owner, task_id },
      attempt: task.attempts,
      replica_id: replica.id,
      replayable,
      at: Math.floor(this.clock.now()),
    }
    let unwatch: CancelTimer = () => undefined
    try {
      await this.record(task, [...turn, begun], stop.signal)
      unwatch = watch(
        task,
        timeouts,
        stop,
        this.clock,
        () => void replica.fail(new Error(`the engine did not confirm an abort within ${timeouts.abort_ms} ms`)),
      )
      const dispatched_at = this.clock.now()
      const ending = await runOnEngine(task, pool, replica, stop, this.clock, (ttft_ms) => {
        this.metrics.observe('latency_first_token_ms', { ...pool.labels, priority: task.priority }, ttft_ms)
      })
      if (task.attempts === 1) this.learn(task, pool, dispatched_at)
      return ending
    } catch (cause) {
      const error: unknown = stop.signal.aborted ? stop.signal.reason : cause
      if (error instanceof DomainError) return { kind: 'error', error }
      return { kind: 'failed', cause }
    } finally {
      unwatch()
      task.abort.signal.removeEventListener('abort', abort)
    }
  }

  private learn({ shape, log, first_token_at, last_token_at }: LiveTask, pool: Pool, dispatched_at: number): void {
    const first = first_token_at ?? this.clock.now()
    pool.estimator.observe({
      ...shape,
      tokens_out: log.tokenCount,
      prefill_ms: first - dispatched_at,
      decode_ms: (last_token_at ?? first) - first,
    })
  }

  private failure(task: LiveTask, pool: Pool, cause: unknown): DomainError {
    const details = { engine: pool.config.engine, pool_id: pool.id, cause }
    if (cause instanceof EngineError && !cause.retriable)
      return new DomainError('worker_reset', `The engine refused the task: ${cause.message}`, { ...details, retriable: false })
    if (!(cause instanceof EngineError))
      return new DomainError('internal', 'Something went wrong on our side; the log has it under this correlation id.', details)
    if (task.attempts >= maxAttempts) return gaveUp(details)
    return new DomainError('worker_reset', 'The engine failed while the task ran; send it again.', details)
  }

  /** Settles a claimed task; a failure to write is logged and tried again by the settlement. */
  private finish(task: LiveTask, ending: Ending): void {
    this.settlement.settle(task, ending).catch(() => undefined)
  }

  /**
   * Makes the beginning of a run durable before the engine is called, so that a prompt that takes the daemon down is known by its attempts, and
   * no token is out that a restart knows nothing of. A disk that cannot be written is waited for: without it nothing could be finished either.
   * @throws the signal's reason where it aborts
   */
  private async record(task: LiveTask, facts: readonly Fact[], signal: AbortSignal): Promise<void> {
    task.recording = true
    for (let written = false; !written;) {
      try {
        await this.journal.commit(facts)
        written = true
      } catch (err) {
        this.log.error({ err, event: 'storage' }, 'The journal cannot be written; the task waits for it.')
      }
      task.recording = false
      if (!written) await pause(retry_ms, this.clock, signal)
      signal.throwIfAborted()
    }
  }

  /** Makes facts durable without waiting: later commits are durable only after these. */
  private write(facts: readonly Fact[]): void {
    if (facts.length === 0) return
    this.journal.commit(facts).catch((err: unknown) => {
      this.log.error({ err, event: 'storage' }, 'The journal cannot be written.')
    })
  }
}

interface Failed {
  readonly kind: 'failed'
  readonly cause: unknown
}

/** Resolves after the time, or as soon as the signal aborts. */
function pause(delay_ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delay_ms, done)
    signal.addEventListener('abort', done)
  })
}
