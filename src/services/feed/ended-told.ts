import type { TaskEnded } from '../../domain/daemon-events.ts'
import { iso, type FeedEnded } from './wire.ts'

/** A task that has ended, with its handle. */
export type EndedTask = TaskEnded & { readonly h: number }

/** The same as it is told. */
export function endedTold({ h, task, outcome, error }: EndedTask): FeedEnded {
  const { code, message, retriable } = outcome.error ?? { code: error?.code, message: error?.message, retriable: undefined }
  return {
    h,
    task_id: task.task_id,
    session_id: task.session_id,
    key_name: task.owner,
    pool_id: task.pool.pool_id,
    priority: task.priority,
    model_ref: task.model_ref,
    state: outcome.state,
    accepted_at: iso(task.accepted_at),
    finished_at: iso(outcome.finished_at),
    attempts: task.attempts,
    ...(outcome.replica_id === undefined ? {} : { replica_id: outcome.replica_id }),
    ...(outcome.tokens_in === undefined ? {} : { tokens_in: outcome.tokens_in }),
    ...(outcome.tokens_out === undefined ? {} : { tokens_out: outcome.tokens_out }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message: message.slice(0, 500) }),
    ...(retriable === undefined ? {} : { retriable }),
    ...(outcome.artifact_id === undefined ? {} : { artifact_id: outcome.artifact_id }),
  }
}
