import type { TaskPlace } from '../../domain/daemon-events.ts'
import { budgetFields } from '../../domain/accounts/budget.ts'
import { atOnce, startMs } from '../../domain/prediction/forecast.ts'
import type { Outlook } from '../../domain/prediction/outlook.ts'
import { runningOf } from '../../domain/prediction/work.ts'
import type { MetricsEvent } from '../../domain/stream/task-events.ts'
import type { LiveTask } from './live-task.ts'
import { waitsNow } from './waiting.ts'

/** What a `metrics` event says of a task now. @param seen what is expected of its pool now, for whoever asks for several that wait */
export function progressOf(task: LiveTask, now: number, seen?: Outlook): MetricsEvent {
  const { pool } = task
  const ahead = task.started_at === undefined ? pool.scheduler.ahead(task) : undefined
  const work = task.workAt(now)
  // What runs is judged by itself: a pool may run a thousand, and each is told once a second.
  const outlook = ahead === undefined ? pool.estimator.outlook(runningOf([work]), now) : (seen ?? pool.outlook)
  const start = ahead === undefined ? atOnce : pool.predictStart(ahead, task.priority, task.deadline_at - now, outlook)
  const waits = waitsNow(task, ahead, now)
  const probability = outlook.onTimeProbability(start, work.shape, work.progress, task.deadline_at - now)
  return {
    phase: phaseOf(task),
    ...(waits === undefined ? {} : { waits }),
    queue_depth: pool.scheduler.depth(),
    queue_position: ahead?.position ?? 0,
    predicted_start_ms: startMs(start),
    on_time_probability: Math.round(probability * 1e4) / 1e4,
    prediction_basis: outlook.basis,
    kv_warmth: task.session.kvWarm,
    pool_id: pool.id,
    ...(task.replica_id === undefined ? {} : { replica_id: task.replica_id }),
    ...budgetFields(task.session.remaining),
  }
}

/** Where a task is. */
export function phaseOf({ started_at, times, pool }: LiveTask): MetricsEvent['phase'] {
  if (started_at !== undefined) return times.first_at === undefined ? 'prefilling' : 'decoding'
  return pool.ready || !pool.live ? 'queued' : 'loading'
}

/** A task as events name it. */
export function placeOf({ accepted, owner, priority, pool, replica_id, attempts }: LiveTask): TaskPlace {
  const { correlation_id, task_id, request, queue_position, predicted_start_ms, accepted_at } = accepted
  const { session_id, model_ref } = request
  const identity = { correlation_id, task_id, session_id, owner }
  return { ...identity, model_ref, priority, accepted_at, queue_position, predicted_start_ms, pool: pool.labels, replica_id, attempts }
}
