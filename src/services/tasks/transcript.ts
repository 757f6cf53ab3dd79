import type { Artifact } from '../../domain/artifact.ts'
import type { Ending } from './ending.ts'
import type { LiveTask } from './live-task.ts'

/** Everything about a task that has ended, as an artifact: request, parts, timings, engine, versions, seed. Keys are never in a request's body. */
export function transcriptOf(
  task: LiveTask,
  ending: Ending,
  usage: { readonly tokens_in?: number; readonly tokens_out?: number },
  wallOf: (moment: number) => number,
  now: number,
): Artifact {
  const { accepted } = task
  const { labels } = task.pool
  const { request, seed, task_id } = accepted
  const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(wallOf(at)).toISOString())
  const content = {
    request,
    seed,
    ...labels,
    replica_id: task.replica_id,
    attempts: task.attempts,
    accepted_at: new Date(accepted.accepted_at).toISOString(),
    started_at: iso(task.started_at),
    first_token_at: iso(task.times.first_at),
    last_token_at: iso(task.times.last_at),
    finished_at: iso(now),
    queue_position: accepted.queue_position,
    predicted_start_ms: accepted.predicted_start_ms,
    ...usage,
    ...(ending.kind === 'completed' ? { finish_reason: ending.result.finish_reason } : { error: ending.error.taskError }),
    text: task.log.text,
    parts: [...task.log.allParts()],
  }
  return {
    kind: 'transcript',
    content: JSON.stringify(content),
    tags: [`task:${task_id}`, `session:${request.session_id}`, `output:${request.output_mode}`],
    metadata: {
      task_id,
      session_id: request.session_id,
      engine: labels.engine,
      engine_version: labels.engine_version,
      pool_id: labels.pool_id,
    },
  }
}
