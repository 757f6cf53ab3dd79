import type { ModelDefaults } from './models/named-model.ts'
import type { AcceptedTask, FilledField, Priority, TaskDraft, TaskRequest, TaskSpec, Workload } from './task.ts'

/** What a task has that does not say. */
export interface TaskDefaults {
  readonly task_id: string
  readonly model_ref: string
  readonly priority: Priority
  readonly deadline_ms: number
  /** Of a completion. */
  readonly sampling?: ModelDefaults['sampling'] | undefined
}

/** The priority of a task that names none: its model's, as far as its key may go. @param top the highest its key may ask for */
export const defaultPriority = (top: Priority, { priority = top }: ModelDefaults): Priority => (top === 'batch' ? 'batch' : priority)

/** The most tokens that a task of a model generates which does not say; undefined where its context and its budgets decide alone. */
export const defaultTokens = ({ workload }: Pick<TaskDraft, 'workload'>, { max_tokens }: ModelDefaults): number | undefined =>
  workload === 'completion' ? max_tokens : undefined

/** What a task asks for that does not name its workload. */
function workloadOf({ inputs, prompt }: TaskRequest): Workload {
  if (inputs === undefined) return 'completion'
  return prompt === undefined ? 'embedding' : 'rerank'
}

/** The request with everything that does not depend on the pool. */
export function draftOf(request: TaskRequest, { task_id, model_ref, priority, deadline_ms, sampling }: TaskDefaults): TaskDraft {
  const workload = request.workload ?? workloadOf(request)
  return {
    ...request,
    ...(sampling === undefined || workload !== 'completion' ? {} : { sampling: { ...sampling, ...request.sampling } }),
    task_id: request.task_id ?? task_id,
    session_id: request.session_id ?? request.task_id ?? task_id,
    workload,
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

/** How large a task of a pool may be, tokens. */
export interface SizeLimits {
  readonly ctxMax: number
  readonly maxTokensOut: number
  /** What its engine says, among that whether prompts are counted by an estimate. */
  readonly props?: { readonly tokens_estimated?: true } | undefined
}

/**
 * What a task needs of a pool with these limits: what it asks for, else what the prompt leaves. What generates nothing needs one token.
 * @param affordable most tokens its budgets let it generate; where it says itself how many it wants, the budgets judge that
 */
export function sizeIn(
  pool: SizeLimits,
  { workload, ctx, max_tokens }: Pick<TaskDraft, 'workload' | 'ctx' | 'max_tokens'>,
  prompt_tokens: number,
  affordable = Infinity,
): TaskSize {
  const room =
    workload === 'completion' ? Math.min(pool.maxTokensOut, (ctx ?? pool.ctxMax) - prompt_tokens, leftIn(pool, prompt_tokens)) : 1
  const out = max_tokens ?? Math.min(room, affordable)
  return { ctx: ctx ?? prompt_tokens + out, max_tokens: out }
}

/**
 * What a prompt leaves of the context: engines refuse what might not fit, so an estimate may be short by what a template has of its own and a third
 * of the text. Half of what it seems to leave is there for the answer all the same.
 */
function leftIn({ ctxMax, props }: SizeLimits, prompt_tokens: number): number {
  const left = ctxMax - prompt_tokens
  return props?.tokens_estimated === true ? left - Math.max(0, Math.min(64 + Math.ceil(prompt_tokens / 3), Math.floor(left / 2))) : left
}

/** The fields that were filled in; those of `sampling` one by one where the request has some itself. */
export function filledOf(request: TaskRequest, spec: TaskSpec): FilledField[] {
  const { sampling } = request
  const fields = (Object.keys(spec) as (keyof TaskSpec)[]).filter((field) => request[field] === undefined)
  if (sampling === undefined || spec.sampling === undefined) return fields
  const inside = (Object.keys(spec.sampling) as (keyof typeof sampling)[]).filter((field) => sampling[field] === undefined)
  return [...fields, ...inside.map((field) => `sampling.${field}` as const)]
}

/** An accepted task to be placed anew: of what was filled in only the engine and the context may become others. */
export function draftAgain({ request, filled = [] }: AcceptedTask): TaskDraft {
  const open = filled.filter((field) => field === 'engine' || field === 'ctx')
  return open.length === 0 ? request : (without(request, open) as TaskDraft)
}

/** @param fields that a request may leave out */
function without(request: TaskSpec, fields: readonly FilledField[]): Partial<TaskSpec> {
  const kept = (object: object, prefix = ''): object =>
    Object.fromEntries(Object.entries(object).filter(([field]) => !fields.some((one) => one === `${prefix}${field}`)))
  const sampling = request.sampling === undefined ? {} : { sampling: kept(request.sampling, 'sampling.') }
  return kept({ ...request, ...sampling })
}
