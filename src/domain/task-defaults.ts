import type { AcceptedTask, Priority, TaskDraft, TaskRequest, TaskSpec, Workload } from './task.ts'

/** What a task has that does not say. */
export interface TaskDefaults {
  readonly task_id: string
  readonly model_ref: string
  /** The highest its key may ask for. */
  readonly priority: Priority
  readonly deadline_ms: number
}

/** What a task asks for that does not name its workload. */
function workloadOf({ inputs, prompt }: TaskRequest): Workload {
  if (inputs === undefined) return 'completion'
  return prompt === undefined ? 'embedding' : 'rerank'
}

/** The request with everything that does not depend on the pool. */
export function draftOf(request: TaskRequest, { task_id, model_ref, priority, deadline_ms }: TaskDefaults): TaskDraft {
  return {
    ...request,
    task_id: request.task_id ?? task_id,
    session_id: request.session_id ?? request.task_id ?? task_id,
    workload: request.workload ?? workloadOf(request),
    model_ref: request.model_ref ?? model_ref,
    priority: request.priority ?? priority,
    deadline_ms: request.deadline_ms ?? deadline_ms,
  }
}

/** The context and the output a task has in a pool, tokens. */
export interface TaskSize {
  readonly ctx: number
  /** Less than 1 where the prompt leaves no room. */
  readonly max_tokens: number
}

/**
 * What a task needs of a pool with these limits: what it asks for, else what the prompt leaves. What generates nothing needs one token.
 * @param affordable most tokens its budgets let it generate; where it says itself how many it wants, the budgets judge that
 */
export function sizeIn(
  pool: { readonly ctxMax: number; readonly maxTokensOut: number },
  { workload, ctx, max_tokens }: Pick<TaskDraft, 'workload' | 'ctx' | 'max_tokens'>,
  prompt_tokens: number,
  affordable = Infinity,
): TaskSize {
  const room = workload === 'completion' ? Math.min(pool.maxTokensOut, (ctx ?? pool.ctxMax) - prompt_tokens) : 1
  const out = max_tokens ?? Math.min(room, affordable)
  return { ctx: ctx ?? prompt_tokens + out, max_tokens: out }
}

/** The fields that were filled in. */
export const filledOf = (request: TaskRequest, spec: TaskSpec): (keyof TaskSpec)[] =>
  (Object.keys(spec) as (keyof TaskSpec)[]).filter((field) => request[field] === undefined)

/** An accepted task's request as it was sent. */
export function sentOf({ request, filled = [] }: AcceptedTask): TaskRequest {
  return filled.length === 0 ? request : (without(request, filled) as TaskRequest)
}

/** An accepted task to be placed anew: of what was filled in only the engine may become another. */
export function draftAgain({ request, filled = [] }: AcceptedTask): TaskDraft {
  return filled.includes('engine') ? (without(request, ['engine']) as TaskDraft) : request
}

/** @param fields that a request may leave out */
function without(request: TaskSpec, fields: readonly (keyof TaskSpec)[]): Partial<TaskSpec> {
  const left = Object.entries(request).filter(([field]) => !fields.some((one) => one === field))
  return Object.fromEntries(left)
}
