import type { Artifact } from '../../domain/artifact.ts'
import { EngineError, type Engine } from '../../ports/engine.ts'
import type { Completed } from './ending.ts'
import type { LiveTask } from './live-task.ts'

/** A run of an embedding or a rerank: no tokens, the result is an artifact. @throws what the engine rejects with */
export async function runInputs(task: LiveTask, engine: Engine, signal: AbortSignal): Promise<Completed> {
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
