import { DomainError } from '../domain/errors.ts'
import { errorFrame, startedFrame } from '../domain/frames.ts'
import type { TaskRecord } from '../domain/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'
import type { Log } from '../ports/telemetry.ts'
import type { Admission } from './admission.ts'
import type { Pools } from './pools.ts'

/** Queues every accepted and unfinished task again, in order of acceptance; ends those whose pool is gone. */
export async function recover(journal: Pick<Journal, 'commit' | 'unfinished'>, admission: Admission, pools: Pools, clock: Clock, log: Log): Promise<void> {
  const records = await journal.unfinished()
  if (records.length === 0) return
  for (const record of records) {
    const pool = pools.find(record.task.pool_id)
    if (pool?.config.model === record.task.request.model_ref) admission.restore(record, pool)
    else await journal.commit([orphaned(record, Math.floor(clock.now()))])
  }
  log.info({ tasks: records.length, human: `${records.length} tasks of the last run are queued again.` }, 'recovery')
}

function orphaned({ task }: TaskRecord, now: number): Parameters<Journal['commit']>[0][number] {
  const { queue_position, predicted_start_ms, pool_id, request, accepted_at } = task
  const error = new DomainError('pool_unavailable', `Pool ${pool_id} is not configured any more.`)
  const started = startedFrame({ queue_position, predicted_start_ms, pool_id, engine: request.engine, accepted_at: new Date(accepted_at).toISOString() })
  const terminal = errorFrame({ ...error.taskError, engine: request.engine, pool_id })
  return { kind: 'finished', key: task, outcome: { state: 'failed', finished_at: now, error: error.taskError }, log: { started, tokens: '', metrics: '', terminal } }
}
