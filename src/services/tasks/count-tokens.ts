import { DomainError } from '../../domain/errors.ts'
import { estimateInput } from '../../domain/task-rules.ts'
import { estimateMessage, estimateTools, promptBytes } from '../../domain/prompt-size.ts'
import type { TaskDraft, TaskRequest } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import { EngineError } from '../../ports/engine.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { poolsIn, type Candidates } from '../pools/candidates.ts'
import type { Pool } from '../pools/pool.ts'
import { PromptTokens, tokenizerOf } from '../pools/prompt-tokens.ts'
import type { Replica } from '../pools/replica.ts'
import { promptOf } from './engine-request.ts'

/** Prompts of one key that are counted at once: a key with many long ones waits for itself, and others for these few of them. */
export const countsOfKey = 4

/** What counting works with. */
interface CountParts {
  readonly clock: Clock
  readonly events: EventSink
}

/**
 * Tokens of a task's prompt in each of its candidates: by the engine's own tokenizer if it answers in time, else an estimate. Pools of one
 * engine and one model are asked once, and all tokenizers at the same time.
 * @throws DomainError invalid_params where no engine can take the prompt
 */
export async function countTokens(request: TaskDraft, candidates: Candidates, parts: CountParts): Promise<PromptTokens> {
  if (request.workload !== 'completion') return new PromptTokens(new Map(), estimateFor(request))
  const counting = new Map<string, Promise<number | DomainError>>()
  for (const pool of poolsIn(candidates)) {
    const tokenizer = tokenizerOf(pool)
    const replica = counting.has(tokenizer) ? undefined : pool.replicas.find(({ state }) => state === 'ready')
    if (replica !== undefined) counting.set(tokenizer, countIn(pool, replica, request, parts))
  }
  const counts = new Map<string, number | undefined>()
  let refusal: DomainError | undefined
  for (const [tokenizer, count] of counting) {
    const tokens = await count
    if (typeof tokens !== 'number') refusal ??= tokens
    counts.set(tokenizer, typeof tokens === 'number' ? tokens : undefined)
  }
  const counted = [...counts.values()].filter((tokens) => tokens !== undefined)
  if (refusal !== undefined && counted.length === 0) throw refusal
  return new PromptTokens(counts, counted.length === 0 ? estimateFor(request) : Math.max(...counted))
}

/**
 * Why a prompt cannot fit, whatever it says: it has more bytes than the context has tokens of the greatest length. So it costs nobody
 * the time to count it. Undefined where it may fit.
 */
function tooManyBytes(request: TaskDraft, pool: Pool, longest_token = Infinity): DomainError | undefined {
  const { ctxMax: ctx_max } = pool
  const bytes = promptBytes(request)
  if (bytes <= ctx_max * longest_token) return undefined
  const prompt_tokens = Math.ceil(bytes / longest_token)
  const rule = `the prompt has ${bytes} bytes, which are ${prompt_tokens} tokens at least; the engine has ${ctx_max}; shorten the prompt`
  return new DomainError('prompt_too_long', `body.${promptField(request)}: ${rule}`, { context: { prompt_tokens, ctx_max } })
}

const promptField = ({ messages }: TaskDraft): string => (messages === undefined ? 'prompt' : 'messages')

/** The count of one engine, or why it cannot take the prompt. */
async function countIn(pool: Pool, replica: Replica, request: TaskDraft, { clock, events }: CountParts): Promise<number | DomainError> {
  const tooLong = tooManyBytes(request, pool, replica.props?.longest_token)
  if (tooLong !== undefined) return tooLong
  const { tokenize_ms } = pool.config.timeouts
  const limit = new AbortController()
  const cancel = clock.after(tokenize_ms, () => {
    limit.abort(new Error(`no token count within timeouts.tokenize_ms (${tokenize_ms})`))
  })
  try {
    return await replica.engine.countTokens(promptOf(request), limit.signal)
  } catch (err) {
    if (err instanceof EngineError && !err.retriable) {
      return new DomainError('invalid_params', `body.${promptField(request)}: ${err.message}`)
    }
    const fields = { err, pool_id: pool.id, replica_id: replica.id }
    const message = 'The engine did not count the prompt; an estimate is used.'
    events.emit({ type: 'notice', level: 'warn', event: 'admission', message, fields })
    return estimateFor(request)
  } finally {
    cancel()
  }
}

function estimateFor({ prompt = '', messages = [], tools, inputs = [] }: TaskRequest): number {
  const texts = [prompt, ...inputs].map(estimateInput)
  return [...texts, ...messages.map(estimateMessage), estimateTools(tools)].reduce((sum, tokens) => sum + tokens, 0)
}
