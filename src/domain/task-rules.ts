import { DomainError } from './errors.ts'
import { checkChat } from './chat-rules.ts'
import type { TaskDraft } from './task.ts'

const refuse = (field: string, rule: string): never => {
  throw new DomainError('invalid_params', `body.${field}: ${rule}`)
}

/**
 * Rules between the fields of a task that a JSON Schema cannot say with a clear message.
 * @throws DomainError invalid_params, naming the field
 */
export function checkTaskRequest(request: TaskDraft): void {
  const { workload, prompt, messages, inputs, placement } = request
  if (workload === 'completion') {
    if (prompt === undefined && messages === undefined && request.inputs === undefined)
      throw new DomainError('invalid_params', 'body: a task needs prompt, messages or inputs')
    if ((prompt === undefined) === (messages === undefined))
      refuse(prompt === undefined ? 'prompt' : 'messages', 'a completion takes exactly one of prompt and messages')
    if (inputs !== undefined) refuse('inputs', 'only embedding and rerank take inputs')
  } else {
    if (messages !== undefined) refuse('messages', 'only a completion takes messages')
    if (inputs === undefined) refuse('inputs', `${workload} needs inputs`)
    if (workload === 'rerank' && prompt === undefined) refuse('prompt', 'rerank needs the query as prompt')
    if (workload === 'embedding' && prompt !== undefined) refuse('prompt', 'embedding takes inputs, not prompt')
    for (const field of ['sampling', 'logprobs', 'tools', 'response_format', 'reasoning_effort'] as const)
      if (request[field] !== undefined) refuse(field, 'only a completion takes it')
  }
  checkChat(request)
  if (request.determinism === 'strict' && request.seed === undefined) refuse('seed', 'determinism strict needs a seed')
  if (placement === undefined) return
  if (placement.mode === 'pin') {
    if (placement.pin_pool_id === undefined) refuse('placement.pin_pool_id', 'mode pin needs it')
    if (placement.allow_fallback === true) refuse('placement.allow_fallback', 'mode pin never falls back; use mode prefer')
  } else if (placement.pin_pool_id !== undefined) refuse('placement.pin_pool_id', `only mode pin takes it, mode is ${placement.mode}`)
  if (placement.mode !== 'prefer') {
    if (placement.prefer_pools !== undefined) refuse('placement.prefer_pools', `only mode prefer takes it, mode is ${placement.mode}`)
    if (placement.mode === 'auto' && placement.allow_fallback !== undefined) refuse('placement.allow_fallback', 'only mode prefer takes it')
  } else if (placement.prefer_pools === undefined || placement.prefer_pools.length === 0)
    refuse('placement.prefer_pools', 'mode prefer needs at least one pool')
}

/** Rough count of tokens where the engine cannot tell in time: about four bytes of UTF-8 a token. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4)
