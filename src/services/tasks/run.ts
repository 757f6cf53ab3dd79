import type { Artifact } from '../../domain/artifact.ts'
import { DomainError } from '../../domain/errors.ts'
import { Replay } from '../../domain/stream/replay.ts'
import { taskKeyOf } from '../../domain/task.ts'
import type { Clock } from '../../ports/clock.ts'
import { EngineError, type Prompt } from '../../ports/engine.ts'
import type { Ending } from './ending.ts'
import type { LiveTask } from './live-tasks.ts'
import type { Pool } from '../pools/pool.ts'
import type { Replica } from '../pools/replica.ts'

type Completed = Extract<Ending, { kind: 'completed' }>

/** The prompt of a completion as engines take it. */
export function promptOf(request: LiveTask['accepted']['request']): Prompt {
  return request.messages === undefined ? { text: request.prompt ?? '' } : { messages: request.messages }
}

/** The text a reader may have is not the text there is: nobody may be given the one as the rest of the other. */
const diverged = (): DomainError =>
  new DomainError(
    'worker_reset',
    'The engine failed, and gave another text when the task was run again; read the task anew or send it again.',
  )

/**
 * Runs a task on a replica's engine, token by token into its log. A run that repeats one that was cut off goes on where that one stopped.
 * @param stop aborts the run; aborted with a DomainError where the text differs from what is out
 * @param onFirstToken gets the time from acceptance to the first token, ms
 * @throws what the engine rejects with; the signal's reason after an abort
 */
export async function runOnEngine(
  task: LiveTask,
  pool: Pool,
  replica: Replica,
  stop: AbortController,
  clock: Clock,
  onFirstToken: (ttft_ms: number) => void,
): Promise<Completed> {
  const { request, seed, accepted_at } = task.accepted
  const { signal } = stop
  if (request.workload !== 'completion') return runInputs(task, replica, signal)
  const { log } = task
  const replay = log.tokenCount === 0 ? undefined : new Replay(log.text)
  const onText = (piece: string): void => {
    if (signal.aborted) return
    const now = clock.now()
    if (task.first_token_at === undefined) {
      task.first_token_at = now
      onFirstToken(now - accepted_at)
    }
    task.last_token_at = now
    const text = replay === undefined ? piece : replay.take(piece)
    if (text === undefined) stop.abort(diverged())
    else if (text !== '') log.append(text)
  }
  const result = await replica.engine.generate(
    {
      prompt: promptOf(request),
      max_tokens: Math.min(request.max_tokens, pool.maxTokensOut),
      seed,
      sampling: request.sampling ?? {},
      kv: request.determinism === 'strict' ? 'cold' : request.kv_hint,
      session: taskKeyOf(task.owner, request.session_id),
    },
    onText,
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
