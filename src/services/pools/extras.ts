import type { TaskRequest } from '../../domain/task.ts'
import { modelFor, servingOf } from './placement.ts'
import type { PoolTask } from './pool-task.ts'
import type { Pools } from './pools.ts'

/**
 * The request without what only asks for more where a model has it, as far as no pool of its model has: clients of other APIs ask every
 * model to think, and send what another one has thought.
 * @throws DomainError where the request names no model and cannot do so
 */
export function withoutExtras<T extends PoolTask>(request: TaskRequest, pools: Pools<T>): TaskRequest {
  const { reasoning_effort, messages, ...rest } = request
  const thoughts = messages?.some(({ reasoning_content }) => reasoning_content !== undefined) ?? false
  if (reasoning_effort === undefined && !thoughts) return request
  if (servingOf({ ...request, model_ref: modelFor(request, pools) }, pools).some((pool) => pool.can('reasoning'))) return request
  if (messages === undefined) return rest
  const spoken = messages.map((message) => {
    const copy = { ...message }
    delete copy.reasoning_content
    return copy
  })
  return { ...rest, messages: spoken }
}
