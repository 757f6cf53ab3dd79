import type { TaskIdentity } from '../../domain/daemon-events.ts'
import type { DomainError } from '../../domain/errors.ts'
import { defaultPriority, defaultTokens, draftOf } from '../../domain/task-defaults.ts'
import { checkTaskRequest } from '../../domain/task-rules.ts'
import type { TaskDraft, TaskRequest } from '../../domain/task.ts'
import type { ModelAccess } from '../pools/model-access.ts'
import type { KeyLimits } from './key-limits.ts'

/** Whether new tasks may have what a pool serves. */
export interface ModelCheck {
  /** Why they may not, if so. */
  refusal(model: string): DomainError | undefined
}

/** What fills in what a task leaves out. */
export interface DraftParts {
  readonly access: Pick<ModelAccess, 'modelFor'>
  readonly keyLimits: Pick<KeyLimits, 'checkPriority' | 'topPriority'>
  readonly models: ModelCheck
  /** Of a task that brings none and whose model has none, ms from acceptance. */
  readonly deadline_ms: number
}

/** A task with all that does not depend on its pool. */
export interface Drafted {
  readonly draft: TaskDraft
  /** The most it generates if it does not say, tokens; undefined where its model does not say either. */
  readonly most_tokens: number | undefined
}

/**
 * Finds the task's model and fills in what it leaves out: its model's defaults come before those of all tasks.
 * @throws DomainError where the model, a field or the priority is refused
 */
export function draftFor({ owner, task_id }: Pick<TaskIdentity, 'owner' | 'task_id'>, request: TaskRequest, parts: DraftParts): Drafted {
  const { access, keyLimits, models } = parts
  // Of a model in the catalog that no pool serves any more: it says more than that there is none.
  const refusal = request.model_ref === undefined ? undefined : models.refusal(request.model_ref)
  if (refusal !== undefined) throw refusal
  const { model_ref, model } = access.modelFor(owner, request)
  const { sampling, deadline_ms = parts.deadline_ms } = model.defaults
  const priority = defaultPriority(keyLimits.topPriority(owner), model.defaults)
  const draft = draftOf(request, { task_id, model_ref, priority, deadline_ms, sampling })
  keyLimits.checkPriority(owner, draft.priority)
  checkTaskRequest(draft)
  return { draft, most_tokens: defaultTokens(draft, model.defaults) }
}
