import type { Artifact } from '../../domain/artifact.ts'
import { StreamError } from '../../domain/errors.ts'
import { beginningOf } from '../../domain/stream/continuation.ts'
import type { Part } from '../../domain/stream/part.ts'
import { Replay } from '../../domain/stream/replay.ts'
import { StoppedParts } from '../../domain/stream/stopped-parts.ts'
import { taskKeyOf, type TaskSpec } from '../../domain/task.ts'
import { EngineError, type ChatOptions, type Engine, type GenerateRequest, type GenerateResult } from '../../ports/engine.ts'
import { promptOf } from './count-tokens.ts'
import type { Ending } from './ending.ts'
import type { LiveTask } from './live-task.ts'
import { overRuns } from './resumption.ts'
import type { RunMode } from './runs.ts'

type Completed = Extract<Ending, { kind: 'completed' }>

/** A run of a task on an engine. */
export interface EngineRun {
  readonly task: LiveTask
  readonly engine: Pick<Engine, 'generate' | 'embed' | 'rerank'>
  readonly mode: RunMode
  /** Aborts the run; it aborts with a StreamError where the parts differ from those that are out. */
  readonly stop: AbortController
  /** Takes every part, whether or not it is out already. */
  readonly heard: () => void
  /** Takes what is new. */
  readonly give: (part: Part) => void
}

/**
 * Runs a task on an engine to its end, taking up what there is of its answer.
 * @throws what the engine rejects with; the signal's reason after an abort
 */
export async function runOnEngine(run: EngineRun): Promise<Completed> {
  const { task, engine, stop } = run
  if (task.accepted.request.workload !== 'completion') return runInputs(task, engine, stop.signal)
  const result = await (task.log.partCount > 0 && run.mode === 'replay' ? replay(run) : goOn(run))
  task.session.reportKv(result.kv_warm)
  return { kind: 'completed', result }
}

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

/** A run that repeats one that was cut off, and goes on where that one stopped. */
async function replay({ task, engine, stop, heard, give }: EngineRun): Promise<GenerateResult> {
  const { signal } = stop
  const known = new Replay(task.log.allParts())
  const onPart = (part: Part): void => {
    if (signal.aborted) return
    heard()
    const fresh = known.take(part)
    if (fresh === 'diverged') stop.abort(diverged())
    else if (fresh !== undefined) give(fresh)
  }
  const result = await engine.generate(requestOf(task), onPart, signal)
  if (known.missing) throw diverged()
  return result
}

/**
 * A run from the text that there is, or from none. Where that text is all there may be, nobody is asked. A stop sequence is found also where it
 * begins in what is out, which cannot be taken back, and ends in what comes.
 */
async function goOn({ task, engine, stop, heard, give }: EngineRun): Promise<GenerateResult> {
  const { signal } = stop
  const beginning = beginningOf(task.log.allParts())
  if (beginning === undefined) throw new Error(`task ${task.id} cannot be gone on with`)
  const { text, parts } = beginning
  const request = requestOf(task)
  if (parts === 0) {
    const onPart = (part: Part): void => {
      if (signal.aborted) return
      heard()
      give(part)
    }
    return engine.generate(request, onPart, signal)
  }
  const max_tokens = request.max_tokens - parts
  const ended = { tokens_in: task.accepted.prompt_tokens, tokens_out: 0, kv_warm: false }
  if (max_tokens < 1) return overRuns(task, beginning, { ...ended, finish_reason: 'length' })
  const stopped = new AbortController()
  const either = AbortSignal.any([signal, stopped.signal])
  const out = new StoppedParts(request.sampling.stop, text)
  let heard_parts = 0
  const onPart = (part: Part): void => {
    if (either.aborted) return
    heard()
    heard_parts++
    const fresh = out.push(part)
    if (fresh !== undefined) give(fresh)
    if (out.stopped) stopped.abort()
  }
  try {
    const result = await engine.generate({ ...request, max_tokens, continue_from: text }, onPart, either)
    const rest = out.flush()
    if (rest !== undefined) give(rest)
    return overRuns(task, beginning, result)
  } catch (error) {
    if (!out.stopped || signal.aborted) throw error
    return overRuns(task, beginning, { ...ended, tokens_out: heard_parts, finish_reason: 'stop', ...out.told })
  }
}

/** Embedding and rerank: no tokens, the result is an artifact. */
async function runInputs(task: LiveTask, engine: EngineRun['engine'], signal: AbortSignal): Promise<Completed> {
  const { request, seed } = task.accepted
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
  const { scores, tokens_in } = await engine.rerank(
    request.prompt ?? '',
    inputs.filter((input) => typeof input === 'string'),
    seed,
    signal,
  )
  return done(tokens_in, { scores })
}

const resultArtifact = (task: LiveTask, content: object): Artifact => ({
  kind: 'other',
  content: JSON.stringify(content),
  tags: ['result', `task:${task.accepted.task_id}`],
  metadata: { task_id: task.accepted.task_id, workload: task.accepted.request.workload },
})
