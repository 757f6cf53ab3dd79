import type { MetricsEvent } from '../domain/frames.ts'
import { budgetFields } from '../domain/budget.ts'
import type { LiveTask } from './live-tasks.ts'

/** What a `metrics` frame says of a task now. */
export function progressOf(task: LiveTask, now: number): MetricsEvent {
  const { pool } = task
  const ahead = task.started_at === undefined ? pool.scheduler.ahead(task) : undefined
  const start_ms = ahead === undefined ? 0 : pool.predictedStartMs(ahead)
  const service_ms = task.started_at === undefined ? task.work_ms : Math.max(0, task.work_ms - (now - task.started_at))
  const probability = pool.estimator.onTimeProbability(start_ms, service_ms, task.deadline_at - now)
  return {
    phase: task.started_at === undefined ? 'queued' : 'decoding',
    queue_depth: pool.scheduler.depth(),
    queue_position: ahead?.position ?? 0,
    predicted_start_ms: start_ms,
    on_time_probability: Math.round(probability * 1e4) / 1e4,
    kv_warmth: task.session.kvWarm,
    pool_id: pool.id,
    ...(task.replica_id === undefined ? {} : { replica_id: task.replica_id }),
    ...budgetFields(task.session.remaining),
  }
}
