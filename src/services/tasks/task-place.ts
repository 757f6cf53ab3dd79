import type { TaskPlace } from '../../domain/daemon-events.ts'
import type { LiveTask } from './live-task.ts'

/** A task as events name it. */
export function placeOf({ accepted, owner, priority, pool, replica_id }: LiveTask): TaskPlace {
  const { correlation_id, task_id, request, queue_position, predicted_start_ms } = accepted
  const { session_id } = request
  return { correlation_id, task_id, session_id, owner, priority, queue_position, predicted_start_ms, pool: pool.labels, replica_id }
}
