import { DomainError, type ReplyKind } from '../../domain/errors.ts'
import { poolsOf } from '../../domain/models/named-model.ts'
import type { Outlook } from '../../domain/prediction/outlook.ts'
import type { TaskDraft } from '../../domain/task.ts'
import type { Pool } from './pool.ts'
import type { Pools } from './pools.ts'
import type { PromptTokens } from './prompt-tokens.ts'

/** Refusals that mean there was no place. */
export const noCapacity: ReadonlySet<ReplyKind> = new Set([
  'queue_full',
  'nothing_to_drop',
  'pool_unready',
  'pool_unavailable',
  'replica_exhausted',
])

/** The task is too large for every pool; names the field. */
export function tooLarge({ ctx, max_tokens, messages, inputs }: TaskDraft, pools: readonly Pool[], tokens: PromptTokens): DomainError {
  const refuse = (field: string, rule: string): DomainError => new DomainError('invalid_params', `body.${field}: ${rule}`)
  const prompt_tokens = Math.min(...pools.map((pool) => tokens.in(pool) ?? Infinity))
  const ctxMax = Math.max(...pools.map((pool) => pool.ctxMax))
  const outMax = Math.max(...pools.map((pool) => pool.maxTokensOut))
  if (ctx !== undefined && ctx > ctxMax) return refuse('ctx', `${ctx} is more than the ${ctxMax} tokens the engine has`)
  if (max_tokens !== undefined && max_tokens > outMax)
    return refuse('max_tokens', `${max_tokens} is more than the ${outMax} tokens a task may generate here`)
  const text = inputs !== undefined ? 'inputs' : messages !== undefined ? 'messages' : 'prompt'
  if (prompt_tokens === Infinity) return refuse(text, 'no engine of these pools takes it')
  // A context that was left out is what the others need.
  const field = ctx !== undefined ? 'ctx' : text
  const room = ctx === undefined ? `the ${ctxMax} tokens the engine has` : `ctx ${ctx}`
  const context = { prompt_tokens, ctx_max: ctx ?? ctxMax, ...(max_tokens === undefined ? {} : { max_tokens }) }
  const tooLong = (rule: string): DomainError => new DomainError('prompt_too_long', `body.${field}: ${rule}`, { context })
  if (max_tokens === undefined)
    return tooLong(`the prompt has ${prompt_tokens} tokens, which leaves no room in ${room}; shorten the prompt`)
  const together = `the prompt has ${prompt_tokens} tokens and max_tokens is ${max_tokens}, together more than ${room}`
  return tooLong(`${together}; shorten the prompt or lower max_tokens`)
}

/** None of the pools that could take the task has a replica that is ready. */
export function notReady(pools: readonly Pool[]): DomainError {
  const retry_after_ms = Math.min(...pools.map((pool) => pool.readyAfterMs))
  const [only] = pools
  const details = { retry_after_ms, ...(pools.length === 1 && only !== undefined ? { pool_id: only.id, engine: only.config.engine } : {}) }
  const drained = pools.find((pool) => pool.serves && pool.closed)
  if (drained !== undefined) return new DomainError('pool_unready', `Pool ${drained.id} drains and takes no new tasks.`, details)
  const ids = pools.map(({ id }) => id).join(', ')
  if (pools.some((pool) => pool.live) || only === undefined)
    return new DomainError('pool_unready', `No replica of ${pools.length === 1 ? 'pool' : 'pools'} ${ids} is ready yet.`, details)
  if (pools.length > 1) return new DomainError('pool_unavailable', `Every pool for this task is down: ${ids}.`, details)
  if (only.refusal !== undefined) return new DomainError('pool_unavailable', `Pool ${only.id} is stopped: ${only.refusal}`, details)
  return new DomainError('replica_exhausted', `No replica of pool ${only.id} takes tasks now; they are tried again.`, details)
}

/** The queue is full and its policy does not let the newcomer in. */
export function queueFull(pool: Pool, outlook?: Outlook): DomainError {
  const { capacity, full_policy: policy_label } = pool.config.queue
  const reason = policy_label === 'reject' ? 'queue_full' : 'nothing_to_drop'
  const message =
    reason === 'queue_full'
      ? `The queue of pool ${pool.id} is full (${capacity}).`
      : `The queue of pool ${pool.id} is full (${capacity}) and holds nothing of the same or a lower priority to drop.`
  const retry_after_ms = pool.retryAfterMs(outlook)
  return new DomainError(reason, message, { engine: pool.config.engine, pool_id: pool.id, retry_after_ms, policy_label })
}

/** The model that a refused task would have had, as its pool serves it; `unknown` where it named none that is served. */
export function refusedModel({ details }: DomainError, model_ref: string | undefined, pools: Pick<Pools, 'find' | 'names'>): string {
  const named = model_ref === undefined ? undefined : pools.names.find(model_ref)
  const [pool_id = details.pool_id] = named === undefined ? [] : poolsOf(named)
  return (pool_id === undefined ? undefined : pools.find(pool_id)?.config.model) ?? 'unknown'
}
