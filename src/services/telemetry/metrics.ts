import type { DaemonEvent, DaemonListener, PoolLoadChanged, TaskEnded, TaskRefused, TaskStarted } from '../../domain/daemon-events.ts'
import type { ModelsLoaded } from '../../domain/catalog/catalog-events.ts'
import { catalogRef } from '../../domain/catalog/catalog.ts'
import type { Metrics } from '../../ports/telemetry.ts'

/** Feeds every series of `ci/metrics.lint.json` that tells of tasks, queues and models. */
export function meter(metrics: Metrics): DaemonListener {
  /** Models that `model_state` tells of as loaded or not. */
  let models: ReadonlySet<string> = new Set()
  return (event) => {
    if (event.type === 'models_loaded') models = loaded(metrics, event, models)
    else record(metrics, event)
  }
}

function record(metrics: Metrics, event: DaemonEvent): void {
  switch (event.type) {
    case 'task_placed':
      metrics.gauge('placement_candidates_considered', {}, event.candidates)
      return
    case 'task_queued': {
      const { task, pinned, fallback } = event
      metrics.count('placement_decisions_total', { outcome: 'assigned', pinned: String(pinned), fallback: String(fallback) })
      metrics.count('tasks_enqueued_total', { ...task.pool, replica_id: 'none', priority: task.priority })
      return
    }
    case 'task_refused':
      refused(metrics, event)
      return
    case 'task_started':
      started(metrics, event)
      return
    case 'task_first_part': {
      const { pool, priority } = event.task
      metrics.observe('latency_first_token_ms', { ...pool, priority }, event.first_token_ms)
      return
    }
    case 'task_ended':
      ended(metrics, event)
      return
    case 'queue_changed':
      metrics.gauge('queue_depth', { ...event.pool, priority: 'interactive' }, event.interactive)
      metrics.gauge('queue_depth', { ...event.pool, priority: 'batch' }, event.batch)
      return
    case 'queue_aged':
      metrics.gauge('queue_oldest_age_ms', { ...event.pool, priority: 'interactive' }, event.interactive_ms)
      metrics.gauge('queue_oldest_age_ms', { ...event.pool, priority: 'batch' }, event.batch_ms)
      return
    case 'queue_gone':
      for (const name of ['queue_depth', 'queue_oldest_age_ms'] as const)
        for (const priority of ['interactive', 'batch'] as const) metrics.forget(name, { ...event.pool, priority })
      return
    case 'model_changed':
      for (const state of ['Active', 'Retired'] as const) {
        const labels = { model_id: catalogRef(event.model_id), state }
        if (event.state === undefined) metrics.forget('model_state', labels)
        else metrics.gauge('model_state', labels, event.state === state ? 1 : 0)
      }
      return
    case 'model_verified':
      metrics.count('catalog_verifications_total', {
        result: event.result,
        reason: event.reason ?? 'none',
        engine: event.engine ?? 'none',
      })
      return
    case 'pool_load_changed':
      swapped(metrics, event)
      return
    case 'models_loaded':
    case 'devices_seen':
    case 'task_requeued':
    case 'replica_changed':
    case 'pool_draining':
    case 'pool_resumed':
    case 'pool_reloaded':
    case 'reload_failed':
    case 'recovered':
    case 'notice':
      return
  }
}

function refused(metrics: Metrics, { engine, error, policy, no_capacity, pinned }: TaskRefused): void {
  metrics.count('tasks_rejected_total', { engine, reason: error.code })
  if (policy !== undefined) metrics.count('admission_backpressure_events_total', { engine, policy })
  if (no_capacity) metrics.count('placement_decisions_total', { outcome: 'no_capacity', pinned: String(pinned), fallback: 'false' })
}

function started(metrics: Metrics, { task, queue_ms, again }: TaskStarted): void {
  const { pool, replica_id = 'none', priority, predicted_start_ms } = task
  metrics.count('tasks_started_total', { ...pool, replica_id, priority })
  if (again) return
  const direction = queue_ms < predicted_start_ms ? 'early' : 'late'
  metrics.observe('predicted_start_error_ms', { ...pool, priority, direction }, Math.abs(queue_ms - predicted_start_ms))
}

function ended(metrics: Metrics, { task, outcome, late, decode_ms, reason }: TaskEnded): void {
  const { pool, priority, replica_id = 'none' } = task
  const replica = { ...pool, replica_id }
  if (outcome.tokens_in !== undefined) metrics.count('tokens_in_total', replica, outcome.tokens_in)
  if (outcome.tokens_out !== undefined) metrics.count('tokens_out_total', replica, outcome.tokens_out)
  if (late) metrics.count('tasks_late_total', { ...pool, priority })
  if (reason !== undefined) metrics.count('tasks_canceled_total', { ...replica, reason })
  if (reason === 'displaced') metrics.count('admission_backpressure_events_total', { engine: pool.engine, policy: 'drop-lru' })
  if (outcome.state === 'completed' && decode_ms !== undefined) metrics.observe('latency_decode_ms', { ...pool, priority }, decode_ms)
}

function swapped(metrics: Metrics, { pool_id, state, took_ms, error }: PoolLoadChanged): void {
  if (error !== undefined) metrics.count('swaps_total', { pool_id, result: 'failed' })
  else if (state === 'loaded' && took_ms !== undefined) {
    metrics.count('swaps_total', { pool_id, result: 'loaded' })
    metrics.observe('swap_load_ms', { pool_id }, took_ms)
  }
}

/** A model is loaded where any replica has it. Returns the models that are told of now. */
function loaded(metrics: Metrics, event: ModelsLoaded, before: ReadonlySet<string>): ReadonlySet<string> {
  for (const model_id of before)
    if (!event.loaded.has(model_id)) for (const state of ['loaded', 'unloaded'] as const) metrics.forget('model_state', { model_id, state })
  for (const [model_id, is] of event.loaded) {
    metrics.gauge('model_state', { model_id, state: 'loaded' }, is ? 1 : 0)
    metrics.gauge('model_state', { model_id, state: 'unloaded' }, is ? 0 : 1)
  }
  return new Set(event.loaded.keys())
}
