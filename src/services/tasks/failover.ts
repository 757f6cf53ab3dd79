import { DomainError, StreamError, type Failure } from '../../domain/errors.ts'
import { maxAttempts } from '../../domain/restart.ts'
import type { RunFailure } from '../../domain/runs.ts'
import { EngineError } from '../../ports/engine.ts'
import type { Pools } from '../pools/pools.ts'
import { onDevices } from '../pools/replica-choice.ts'
import type { Replica } from '../pools/replica.ts'
import type { Failed } from './attempt.ts'
import { gaveUp, type Ending } from './ending.ts'
import type { LiveTask } from './live-task.ts'
import { otherPoolFor } from './other-pool.ts'
import { modeIn } from './resumption.ts'

/** Whether a task may have another run after one that failed: its engine failed, and it has one left. */
export function mayRetry(task: LiveTask, ending: Ending | Failed): boolean {
  return (
    task.phase === 'running' &&
    ending.kind === 'failed' &&
    ending.cause instanceof EngineError &&
    ending.cause.retriable &&
    task.attempts < maxAttempts
  )
}

/** Whether a run failed because its engine is well and takes no more now. */
export const wasBusy = (ending: Ending | Failed | undefined): boolean =>
  ending?.kind === 'failed' && ending.cause instanceof EngineError && ending.cause.busy

/** Where in its pool the task goes on at once: on another replica that is free, else on its own if that is still up and takes more. */
export function nextReplica(task: LiveTask, failed: Replica, busy: boolean): Replica | undefined {
  const { pool } = task
  const able = (replica: Replica): boolean => onDevices(replica, task.accepted.request) && modeIn(task, pool, replica.props) !== undefined
  return (
    pool.replicas.find((one) => one !== failed && one.hasFreeSlot && able(one)) ??
    (!busy && failed.state === 'ready' && able(failed) ? failed : undefined)
  )
}

/** The pool in which the task waits to go on: its own where that is up and takes more, or no other can take it. Undefined where nothing that is out could be gone on with. */
export function nextPool(task: LiveTask, pools: Pools<LiveTask>, now: number, busy: boolean): LiveTask['pool'] | undefined {
  const { pool } = task
  const able = modeIn(task, pool, pool.props) !== undefined
  if (able && pool.ready && !busy) return pool
  return otherPoolFor(task, pools, now) ?? (able ? pool : undefined)
}

/** How a task ends whose last run failed. */
export const failureOf = (task: LiveTask, cause: unknown): Ending => ({ kind: 'error', error: errorOf(task, cause) })

function errorOf({ pool, attempts, log }: LiveTask, cause: unknown): Failure {
  const details = { engine: pool.config.engine, pool_id: pool.id, cause }
  if (!(cause instanceof EngineError))
    return new DomainError('internal', 'Something went wrong on our side; the log has it under this correlation id.', details)
  // What an engine refuses to go on with it may take as a new task.
  if (!cause.retriable && log.partCount === 0)
    return new StreamError('worker_reset', `The engine refused the task: ${cause.message}`, { ...details, retriable: false })
  if (cause.busy) return new DomainError('pool_unready', 'The engine takes no more tasks now; send it again later.', details)
  if (attempts >= maxAttempts) return gaveUp(details)
  return new StreamError('worker_reset', 'The engine failed while the task ran; send it again.', details)
}

/** Why a run failed, as it is kept: what an engine said is for operators. */
export function runFailureOf(cause: unknown): RunFailure {
  const message = 'The engine failed while the task ran.'
  if (cause instanceof EngineError) return { code: 'WORKER_RESET', message, cause: cause.message.slice(0, longest_cause) }
  return { code: 'INTERNAL', message: 'Something went wrong on our side while the task ran.' }
}

/** Most that is kept of what an engine said, characters. */
const longest_cause = 500
