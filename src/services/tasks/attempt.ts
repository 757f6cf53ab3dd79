import { DomainError, Failure, StreamError } from '../../domain/errors.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import { EngineError } from '../../ports/engine.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Replica } from '../pools/replica.ts'
import { gaveUp, maxAttempts, type Ending } from './ending.ts'
import type { LiveTask } from './live-task.ts'
import { runOnEngine } from './run.ts'
import { watch } from './watchdog.ts'

/** Pause before the beginning of a run is written again, ms. */
const retry_ms = 1000

/** What an attempt works with. */
export interface AttemptParts {
  readonly journal: Pick<Journal, 'commit'>
  readonly clock: Clock
  readonly events: EventSink
}

/** A run whose engine failed: the task may run again. */
export interface Failed {
  readonly kind: 'failed'
  readonly cause: unknown
}

/**
 * Runs a task once on a replica, from the fact that it begins to how it ended. Never rejects.
 * @param turn facts of its dispatch, made durable with the attempt
 */
export async function attempt(
  task: LiveTask,
  replica: Replica,
  turn: readonly Fact[],
  { journal, clock, events }: AttemptParts,
): Promise<Ending | Failed> {
  const { pool } = task
  const { timeouts } = pool.config
  const stop = new AbortController()
  const abort = (): void => {
    stop.abort(task.abort.signal.reason)
  }
  task.abort.signal.addEventListener('abort', abort, { once: true })
  if (task.abort.signal.aborted) abort()
  const began = task.attempt(replica.props?.replayable === true, clock.now())
  const first = task.attempts === 1
  let unwatch: CancelTimer = () => undefined
  try {
    await record([...turn, began], stop.signal, { journal, clock, events })
    const deaf = (): void => void replica.fail(new Error(`the engine did not confirm an abort within ${timeouts.abort_ms} ms`))
    unwatch = watch(task, timeouts, stop, clock, deaf)
    const dispatched_at = clock.now()
    const ending = await runOnEngine(task, replica, stop, { clock, events })
    if (first) learn(task, dispatched_at, clock)
    return ending
  } catch (cause) {
    const error: unknown = stop.signal.aborted ? stop.signal.reason : cause
    return error instanceof Failure ? { kind: 'error', error } : { kind: 'failed', cause }
  } finally {
    unwatch()
    task.abort.signal.removeEventListener('abort', abort)
  }
}

/** Whether a task may run again after a run that failed: its engine failed, and nothing that is out would be lost. */
export function mayRetry(task: LiveTask, ending: Ending | Failed): boolean {
  if (task.phase !== 'running' || ending.kind !== 'failed') return false
  if (!(ending.cause instanceof EngineError) || !ending.cause.retriable || task.attempts >= maxAttempts) return false
  return task.log.partCount === 0 || task.pool.props?.replayable === true
}

/** What a task ends with whose last run failed. */
export function failureOf({ pool, attempts }: LiveTask, { cause }: Failed): Failure {
  const details = { engine: pool.config.engine, pool_id: pool.id, cause }
  if (!(cause instanceof EngineError))
    return new DomainError('internal', 'Something went wrong on our side; the log has it under this correlation id.', details)
  if (!cause.retriable)
    return new StreamError('worker_reset', `The engine refused the task: ${cause.message}`, { ...details, retriable: false })
  if (attempts >= maxAttempts) return gaveUp(details)
  return new StreamError('worker_reset', 'The engine failed while the task ran; send it again.', details)
}

function learn({ shape, log, pool, times: { first_at, last_at } }: LiveTask, dispatched_at: number, clock: Clock): void {
  const first = first_at ?? clock.now()
  const decode_ms = (last_at ?? first) - first
  pool.estimator.observe({ ...shape, tokens_out: log.partCount, prefill_ms: first - dispatched_at, decode_ms })
}

/**
 * Makes the beginning of a run durable before the engine is called, so that a prompt that takes the daemon down is known by its attempts, and
 * no token is out that a restart knows nothing of. A disk that cannot be written is waited for: without it nothing could be finished either.
 * @throws the signal's reason where it aborts
 */
async function record(facts: readonly Fact[], signal: AbortSignal, { journal, clock, events }: AttemptParts): Promise<void> {
  for (let written = false; !written;) {
    try {
      await journal.commit(facts)
      written = true
    } catch (err) {
      events.emit({
        type: 'notice',
        level: 'error',
        event: 'storage',
        message: 'The journal cannot be written; the task waits for it.',
        fields: { err },
      })
    }
    if (!written) await pause(retry_ms, clock, signal)
    signal.throwIfAborted()
  }
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
