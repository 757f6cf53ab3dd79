import { DomainError, StreamError } from '../../domain/errors.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { startedEvent } from '../../domain/stream/task-events.ts'
import { TaskLog } from '../../domain/stream/task-log.ts'
import { draftAgain } from '../../domain/task-defaults.ts'
import type { AcceptedTask, TaskHead, UnfinishedTask } from '../../domain/task.ts'
import { dayOf, usageOf } from '../../domain/usage.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Admission } from '../tasks/admission.ts'
import { gaveUp, maxAttempts } from '../tasks/ending.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import { candidatesFor } from '../pools/placement.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'
import type { Settlement } from '../tasks/settlement.ts'

/** What recovery works with. */
export interface RecoveryParts {
  readonly journal: Pick<Journal, 'commit' | 'unfinished'>
  readonly admission: Admission
  readonly settlement: Settlement
  readonly pools: Pools<LiveTask>
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * Takes up what the last run of the daemon left: every accepted and unfinished task is queued again, in order of acceptance. Those that had
 * started run again where their engine gives the same text; the others end honestly, and so do those that have had their attempts and those
 * that no pool serves any more.
 */
export async function recover({ journal, admission, settlement, pools, clock, events }: RecoveryParts): Promise<void> {
  const orphans: Fact[] = []
  let queued = 0
  let ended = 0
  for await (const page of journal.unfinished())
    for (const task of page) {
      const pool = poolFor(task.head, pools)
      if (pool === undefined) {
        orphans.push(...orphaned(task.head.source.task, Math.floor(clock.now())))
        ended++
        continue
      }
      const live = admission.restore(task, pool)
      const error = endOf(task, pool)
      if (error === undefined) {
        pool.scheduler.restore(live)
        queued++
      } else {
        live.claim(false)
        settlement.settleSoon(live, { kind: 'error', error })
        ended++
      }
    }
  // What cannot be written now is found again by the next start.
  if (orphans.length > 0)
    await journal.commit(orphans).catch((err: unknown) => {
      const message = 'Tasks that no pool serves any more could not be ended.'
      events.emit({ type: 'notice', level: 'error', event: 'storage', message, fields: { err } })
    })
  if (queued + ended > 0) events.emit({ type: 'recovered', queued, ended })
}

/** The task's own pool if it still serves the model, else another that does and that its placement allows. */
function poolFor(head: TaskHead, pools: Pools<LiveTask>): Pool<LiveTask> | undefined {
  const own = pools.find(head.pool_id)
  if (own?.config.model === head.model_ref) return own
  try {
    const { first, fallback } = candidatesFor(draftAgain(head.source.task), pools)
    return first[0] ?? fallback[0]
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

/** Why the task is not run again; undefined where it is. */
function endOf({ attempts }: UnfinishedTask, pool: Pool): StreamError | undefined {
  if (attempts === undefined) return undefined
  const details = { engine: pool.config.engine, pool_id: pool.id }
  if (attempts.failed >= maxAttempts) return gaveUp(details)
  if (!attempts.replayable) return new StreamError('worker_reset', 'The daemon was restarted while the task ran; send it again.', details)
  return undefined
}

function orphaned(task: AcceptedTask, now: number): Fact[] {
  const { owner, pool_id, request } = task
  const { model_ref } = request
  const error = new DomainError('pool_unavailable', `No pool serves ${request.model_ref} any more.`)
  const terminal = { error: { ...error.taskError, engine: request.engine, pool_id } }
  const outcome = { state: 'failed', finished_at: now, error: error.taskError } as const
  const log = new TaskLog(startedEvent(task)).stored(terminal, true)
  return [
    { kind: 'finished', key: task, outcome, log },
    { kind: 'usage', more: usageOf({ owner, model_ref, day: dayOf(now), tasks: 1 }) },
  ]
}
