import { DomainError } from '../../domain/errors.ts'
import { estimateTokens } from '../../domain/task-rules.ts'
import { estimateMessage, estimateTools } from '../../domain/prompt-size.ts'
import type { TaskDraft, TaskRequest } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import { EngineError, type Prompt } from '../../ports/engine.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import type { Candidates } from '../pools/placement.ts'

/** The prompt of a completion as engines take it. */
export function promptOf({ prompt = '', messages, tools }: Pick<TaskDraft, 'prompt' | 'messages' | 'tools'>): Prompt {
  if (messages === undefined) return { text: prompt }
  return tools === undefined ? { messages } : { messages, tools }
}

/**
 * Tokens of a task's prompt: by the engine's own tokenizer if it answers in time, else an estimate.
 * @throws DomainError invalid_params where the engine cannot take the prompt
 */
export async function countTokens(request: TaskDraft, candidates: Candidates, clock: Clock, events: EventSink): Promise<number> {
  const pool = candidates.first.find(({ ready }) => ready) ?? candidates.fallback.find(({ ready }) => ready)
  const replica = pool?.replicas.find(({ state }) => state === 'ready')
  if (pool === undefined || replica === undefined || request.workload !== 'completion') return estimateFor(request)
  const { tokenize_ms } = pool.config.timeouts
  const limit = new AbortController()
  const cancel = clock.after(tokenize_ms, () => {
    limit.abort(new Error(`no token count within timeouts.tokenize_ms (${tokenize_ms})`))
  })
  try {
    return await replica.engine.countTokens(promptOf(request), limit.signal)
  } catch (err) {
    if (err instanceof EngineError && !err.retriable) {
      const field = request.messages === undefined ? 'prompt' : 'messages'
      throw new DomainError('invalid_params', `body.${field}: ${err.message}`)
    }
    const fields = { err, pool_id: pool.id, replica_id: replica.id }
    const message = 'The engine did not count the prompt in time; an estimate is used.'
    events.emit({ type: 'notice', level: 'warn', event: 'admission', message, fields })
    return estimateFor(request)
  } finally {
    cancel()
  }
}

function estimateFor({ prompt = '', messages = [], tools, inputs = [] }: TaskRequest): number {
  const texts = [prompt, ...inputs].map(estimateTokens)
  return [...texts, ...messages.map(estimateMessage), estimateTools(tools)].reduce((sum, tokens) => sum + tokens, 0)
}
