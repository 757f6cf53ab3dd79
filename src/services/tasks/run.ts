import type { Artifact } from '../../domain/artifact.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { StreamError } from '../../domain/errors.ts'
import type { Part } from '../../domain/stream/part.ts'
import { Replay } from '../../domain/stream/replay.ts'
import { taskKeyOf, type TaskDraft, type TaskSpec } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import { EngineError, type ChatOptions, type Prompt } from '../../ports/engine.ts'
import type { Replica } from '../pools/replica.ts'
import type { Ending } from './ending.ts'
import type { LiveTask } from './live-task.ts'
import { placeOf } from './task-place.ts'

type Completed = Extract<Ending, { kind: 'completed' }>

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

/** A reader may have other text than there is now: the new text is never given out as the rest of the old one. */
const diverged = (): StreamError =>
  new StreamError(
    'worker_reset',
    'The engine failed, and gave another text when the task was run again; read the task anew or send it again.',
  )

/**
 * Runs a task on a replica's engine, part by part into its log. A run that repeats one that was cut off goes on where that one stopped.
 * @param stop aborts the run; aborted with a StreamError where the parts differ from those that are out
 * @throws what the engine rejects with; the signal's reason after an abort
 */
export async function runOnEngine(
  task: LiveTask,
  replica: Replica,
  stop: AbortController,
  { clock, events }: { readonly clock: Clock; readonly events: EventSink },
): Promise<Completed> {
  const { request, seed, accepted_at } = task.accepted
  const { signal } = stop
  if (request.workload !== 'completion') return runInputs(task, replica, signal)
  const { log, pool } = task
  const replay = log.partCount === 0 ? undefined : new Replay(log.allParts())
  const onPart = (part: Part): void => {
    if (signal.aborted) return
    const now = clock.now()
    if (task.heard(now)) events.emit({ type: 'task_first_part', task: placeOf(task), first_token_ms: now - accepted_at })
    const fresh = replay === undefined ? part : replay.take(part)
    if (fresh === 'diverged') stop.abort(diverged())
    else if (fresh !== undefined) log.append(fresh)
  }
  const result = await replica.engine.generate(
    {
      prompt: promptOf(request),
      max_tokens: Math.min(request.max_tokens, pool.maxTokensOut),
      seed,
      sampling: request.sampling ?? {},
      chat: chatOf(request),
      kv: request.determinism === 'strict' ? 'cold' : request.kv_hint,
      session: taskKeyOf(task.owner, request.session_id),
    },
    onPart,
    signal,
  )
  if (replay?.missing === true) throw diverged()
  task.session.reportKv(result.kv_warm)
  return { kind: 'completed', result }
}

/** Embedding and rerank: no tokens, the result is an artifact. */
async function runInputs(task: LiveTask, replica: Replica, signal: AbortSignal): Promise<Completed> {
  const { request, seed } = task.accepted
  const { engine } = replica
  const inputs = request.inputs ?? []
  const done = (tokens_in: number, content: object): Completed => ({
    kind: 'completed',
    result: { finish_reason: 'stop', tokens_in, tokens_out: 0, kv_warm: false },
    output: resultArtifact(task, content),
  })
  if (request.workload === 'embedding') {
    if (engine.embed === undefined) throw new EngineError('this engine has no embeddings', { retriable: false })
    const { vectors, tokens_in } = await engine.embed(inputs, seed, signal)
    return done(tokens_in, { vectors })
  }
  if (engine.rerank === undefined) throw new EngineError('this engine cannot rerank', { retriable: false })
  const { scores, tokens_in } = await engine.rerank(request.prompt ?? '', inputs, seed, signal)
  return done(tokens_in, { scores })
}

const resultArtifact = (task: LiveTask, content: object): Artifact => ({
  kind: 'other',
  content: JSON.stringify(content),
  tags: ['result', `task:${task.accepted.task_id}`],
  metadata: { task_id: task.accepted.task_id, workload: task.accepted.request.workload },
})
