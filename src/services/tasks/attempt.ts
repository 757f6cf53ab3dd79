import type { Artifact } from '../../domain/artifact.ts'
import type { EventSink } from '../../domain/daemon-events.ts'
import { DomainError, Failure, StreamError } from '../../domain/errors.ts'
import type { Part } from '../../domain/stream/part.ts'
import { Replay } from '../../domain/stream/replay.ts'
import { taskKeyOf, type TaskSpec } from '../../domain/task.ts'
import { pause, type CancelTimer, type Clock } from '../../ports/clock.ts'
import { EngineError, type ChatOptions } from '../../ports/engine.ts'
import type { Fact, Journal } from '../../ports/journal.ts'
import type { Replica } from '../pools/replica.ts'
import { promptOf } from './count-tokens.ts'
import { gaveUp, maxAttempts, type Ending } from './ending.ts'
import type { LiveTask } from './live-task.ts'
import { placeOf } from './progress.ts'
import { watch } from './watchdog.ts'

/** Pause before the beginning of a run is written again, ms. */
const retry_ms = 1000

/** What an attempt works with. */
export interface AttemptParts {
  readonly journal: Pick<Journal, 'commit'>
  readonly clock: Clock
  readonly events: EventSink
}

/** A run whose engine failed: the task may run again. */
export interface Failed {
  readonly kind: 'failed'
  readonly cause: unknown
}

/**
 * Runs a task once on a replica, from the fact that it begins to how it ended. Never rejects.
 * @param turn facts of its dispatch, made durable with the attempt
 */
export async function attempt(
  task: LiveTask,
  replica: Replica,
  turn: readonly Fact[],
  { journal, clock, events }: AttemptParts,
): Promise<Ending | Failed> {
  const { pool } = task
  const { timeouts } = pool.config
  const stop = new AbortController()
  const abort = (): void => {
    stop.abort(task.abort.signal.reason)
  }
  task.abort.signal.addEventListener('abort', abort, { once: true })
  if (task.abort.signal.aborted) abort()
  const began = task.attempt(replica.props?.replayable === true, clock.now())
  const first = task.attempts === 1
  let unwatch: CancelTimer = () => undefined
  try {
    await record([...turn, began], stop.signal, { journal, clock, events })
    const deaf = (): void => void replica.fail(new Error(`the engine did not confirm an abort within ${timeouts.abort_ms} ms`))
    unwatch = watch(task, timeouts, stop, clock, deaf)
    const dispatched_at = clock.now()
    const ending = await runOnEngine(task, replica, stop, { journal, clock, events })
    replica.succeeded()
    if (first) learn(task, dispatched_at, clock)
    return ending
  } catch (cause) {
    const error: unknown = stop.signal.aborted ? stop.signal.reason : cause
    replica.failed(task.id, error)
    return error instanceof Failure ? { kind: 'error', error } : { kind: 'failed', cause }
  } finally {
    unwatch()
    task.abort.signal.removeEventListener('abort', abort)
  }
}

type Completed = Extract<Ending, { kind: 'completed' }>

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
async function runOnEngine(task: LiveTask, replica: Replica, stop: AbortController, { clock, events }: AttemptParts): Promise<Completed> {
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

/** Whether a task may run again after a run that failed: its engine failed, and nothing that is out would be lost. */
export function mayRetry(task: LiveTask, ending: Ending | Failed): boolean {
  if (task.phase !== 'running' || ending.kind !== 'failed') return false
  if (!(ending.cause instanceof EngineError) || !ending.cause.retriable || task.attempts >= maxAttempts) return false
  return task.log.partCount === 0 || task.pool.props?.replayable === true
}

/** What a task ends with whose last run failed. */
export function failureOf({ pool, attempts }: LiveTask, { cause }: Failed): Failure {
  const details = { engine: pool.config.engine, pool_id: pool.id, cause }
  if (!(cause instanceof EngineError))
    return new DomainError('internal', 'Something went wrong on our side; the log has it under this correlation id.', details)
  if (!cause.retriable)
    return new StreamError('worker_reset', `The engine refused the task: ${cause.message}`, { ...details, retriable: false })
  if (attempts >= maxAttempts) return gaveUp(details)
  return new StreamError('worker_reset', 'The engine failed while the task ran; send it again.', details)
}

function learn({ shape, log, pool, times: { first_at, last_at } }: LiveTask, dispatched_at: number, clock: Clock): void {
  const first = first_at ?? clock.now()
  const decode_ms = (last_at ?? first) - first
  pool.estimator.observe({ ...shape, tokens_out: log.partCount, prefill_ms: first - dispatched_at, decode_ms })
}

/**
 * Makes the beginning of a run durable before the engine is called, so that a prompt that takes the daemon down is known by its attempts, and
 * no token is out that a restart knows nothing of. A disk that cannot be written is waited for: without it nothing could be finished either.
 * @throws the signal's reason where it aborts
 */
async function record(facts: readonly Fact[], signal: AbortSignal, { journal, clock, events }: AttemptParts): Promise<void> {
  for (let written = false; !written;) {
    try {
      await journal.commit(facts)
      written = true
    } catch (err) {
      events.emit({
        type: 'notice',
        level: 'error',
        event: 'storage',
        message: 'The journal cannot be written; the task waits for it.',
        fields: { err },
      })
    }
    if (!written) await pause(clock, retry_ms, signal)
    signal.throwIfAborted()
  }
}
