import { DomainError } from '../../domain/errors.ts'
import type { TaskAcceptedReply, TaskSummary } from '../../domain/task.ts'

/** What a client is told of its accepted task. */
export function replyOf(task: TaskSummary): TaskAcceptedReply {
  // Tasks that were accepted before bases were told have none.
  const { task_id, queue_position, predicted_start_ms, prediction_basis = 'assumed', backoff_ms, pool_id } = task
  const accepted_at = new Date(task.accepted_at).toISOString()
  return { task_id, queue_position, predicted_start_ms, prediction_basis, backoff_ms, pool_id, accepted_at }
}

/** The reply to an accepted task's request; another request cannot have its id. @throws DomainError conflict */
export function repeated(known: TaskSummary, digest: string | undefined): TaskAcceptedReply {
  if (known.digest === undefined || known.digest !== digest)
    throw new DomainError('conflict', 'task_id is taken by a task with another body; choose a new task_id.')
  return replyOf(known)
}
