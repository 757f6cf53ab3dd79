import type { components } from '../../../generated/openai.ts'
import { refuseField } from '../../domain/errors.ts'
import type { TaskRequest } from '../../domain/task.ts'
import { defined } from '../common/defined.ts'

type Schemas = components['schemas']

const common = { determinism: 'best_effort', kv_hint: 'cold', output_mode: 'text' } as const

/** Texts to embed as a task. @throws DomainError invalid_params where the input is no text, or a length is asked for */
export function embeddingTask({ model, input, dimensions }: Schemas['EmbeddingRequest']): TaskRequest {
  if (dimensions !== null && dimensions !== undefined) refuseField('dimensions', 'a vector is as long as the model makes it')
  const inputs = (typeof input === 'string' ? [input] : input).map((text) =>
    typeof text === 'string' && text !== ''
      ? text
      : refuseField('input', 'must be texts that are not empty; lists of token ids are not taken, for engines take texts'),
  )
  return { workload: 'embedding', inputs, ...defined('model_ref', model), ...common }
}

/** The vectors of a task that has completed. */
export function embeddingList(
  { model, encoding_format }: Schemas['EmbeddingRequest'],
  vectors: readonly (readonly number[])[],
  tokens: number,
): Schemas['EmbeddingList'] {
  const write = (vector: readonly number[]): number[] | string => (encoding_format === 'base64' ? base64Of(vector) : [...vector])
  return {
    ...{ object: 'list', model: model ?? '' },
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: write(vector) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, i) => bytes.writeFloatLE(value, i * 4))
  return bytes.toString('base64')
}

const textOf = (document: Schemas['RerankRequest']['documents'][number]): string =>
  typeof document === 'string' ? document : document.text

/** Documents to rank as a task. */
export const rerankTask = ({ model, query, documents }: Schemas['RerankRequest']): TaskRequest => ({
  ...{ workload: 'rerank', prompt: query, inputs: documents.map(textOf) },
  ...defined('model_ref', model),
  ...common,
})

/** The scores of a task that has completed, best first. */
export function rankingOf(
  { model, documents, top_n, return_documents }: Schemas['RerankRequest'],
  scores: readonly number[],
  tokens: number,
): Schemas['Ranking'] {
  const ranked = scores.map((relevance_score, index) => ({ index, relevance_score })).sort((a, b) => b.relevance_score - a.relevance_score)
  const results = ranked.slice(0, top_n ?? ranked.length).map((result) => {
    const document = documents[result.index]
    return return_documents === true && document !== undefined ? { ...result, document: { text: textOf(document) } } : result
  })
  return { model: model ?? '', results, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}
