import { poolsOf } from '../../domain/models/named-model.ts'
import type { TaskRequest } from '../../domain/task.ts'
import type { ModelAccess } from './model-access.ts'
import type { Pools } from './pools.ts'

/** What is looked at for what a model has. */
interface ExtrasParts {
  readonly access: Pick<ModelAccess, 'modelFor'>
  readonly pools: Pick<Pools, 'find'>
}

/**
 * The request without what only asks for more where a model has it, as far as no pool of its model has: clients of other APIs ask every
 * model to think, and send what another one has thought.
 * @throws DomainError where the request names no model and cannot do so, or one that its key may not use
 */
export function withoutExtras(owner: string, request: TaskRequest, { access, pools }: ExtrasParts): TaskRequest {
  const { reasoning_effort, messages, ...rest } = request
  const thoughts = messages?.some(({ reasoning_content }) => reasoning_content !== undefined) ?? false
  if (reasoning_effort === undefined && !thoughts) return request
  const serving = poolsOf(access.modelFor(owner, request).model).flatMap((id) => pools.find(id) ?? [])
  if (serving.some((pool) => pool.can('reasoning'))) return request
  if (messages === undefined) return rest
  const spoken = messages.map((message) => {
    const copy = { ...message }
    delete copy.reasoning_content
    return copy
  })
  return { ...rest, messages: spoken }
}
