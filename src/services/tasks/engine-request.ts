import { taskKeyOf, type TaskDraft, type TaskSpec } from '../../domain/task.ts'
import type { ChatOptions, GenerateRequest, Prompt } from '../../ports/engine.ts'
import type { LiveTask } from './live-task.ts'

/** What an engine is asked for that begins the task's answer. */
export function requestOf({ accepted, owner, pool }: LiveTask): GenerateRequest {
  const { request, seed } = accepted
  return {
    prompt: promptOf(request),
    max_tokens: Math.min(request.max_tokens, pool.maxTokensOut),
    seed,
    sampling: request.sampling ?? {},
    chat: chatOf(request),
    kv: request.determinism === 'strict' ? 'cold' : request.kv_hint,
    session: taskKeyOf(owner, request.session_id),
  }
}

/** The prompt of a completion as engines take it. */
export function promptOf({ prompt = '', messages, tools }: Pick<TaskDraft, 'prompt' | 'messages' | 'tools'>): Prompt {
  if (messages === undefined) return { text: prompt }
  return tools === undefined ? { messages } : { messages, tools }
}

/** Fields that only some engines can; placement has seen that this one can. */
function chatOf(request: TaskSpec): ChatOptions {
  const { tool_choice, parallel_tool_calls, response_format, reasoning_effort, logprobs, top_logprobs } = request
  const given = { tool_choice, parallel_tool_calls, response_format, reasoning_effort, logprobs, top_logprobs }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
