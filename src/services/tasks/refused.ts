import type { TaskIdentity, TaskRefused } from '../../domain/daemon-events.ts'
import type { DomainError } from '../../domain/errors.ts'
import type { TaskRequest } from '../../domain/task.ts'
import type { Pools } from '../pools/pools.ts'
import { noCapacity, refusedModel } from '../pools/refusals.ts'
import type { LiveTask } from './live-task.ts'

/** What is told of a request that was refused. */
export const refused = (task: TaskIdentity, request: TaskRequest, error: DomainError, pools: Pools<LiveTask>): TaskRefused => ({
  type: 'task_refused',
  task,
  model_ref: refusedModel(error, request.model_ref, pools),
  engine: request.engine ?? error.details.engine ?? 'none',
  error: { code: error.code, message: error.message, cause: error.cause },
  no_capacity: noCapacity.has(error.kind),
  pinned: request.placement?.mode === 'pin',
  pool_id: error.details.pool_id,
  policy: error.details.policy_label,
})
