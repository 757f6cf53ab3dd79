import type { EngineClient } from '../client.ts'
import type { Scores } from '../dialect.ts'
import { nonsense } from '../faults.ts'
import { numberOf, objectOf, objectsOf } from '../json.ts'

interface RerankBody {
  readonly model?: string
  readonly query: string
  readonly documents: readonly string[]
}

/** `/rerank` as llama.cpp, vLLM and others have it. @param v1 path before it. @throws EngineFault */
export async function rerank(client: EngineClient, body: RerankBody, signal: AbortSignal, v1 = ''): Promise<Scores> {
  const answer = await client.post(`${v1}/rerank`, body, signal)
  const scores: number[] = []
  for (const { index, relevance_score } of objectsOf(answer['results'])) scores[numberOf(index) ?? -1] = numberOf(relevance_score) ?? NaN
  if (body.documents.some((_, i) => !Number.isFinite(scores[i]))) throw nonsense(new Error('not a score for each document'))
  const { prompt_tokens, total_tokens } = objectOf(answer['usage'])
  return { scores, tokens_in: numberOf(prompt_tokens) ?? numberOf(total_tokens) ?? 0 }
}
