import type { components } from '../../../generated/openai.ts'
import { refuseField } from '../../domain/errors.ts'
import type { EmbeddingInput, TaskRequest } from '../../domain/task.ts'
import { defined } from '../common/defined.ts'

type Schemas = components['schemas']

const common = { determinism: 'best_effort', kv_hint: 'cold', output_mode: 'text' } as const

/** What is to be embedded as a task. @throws DomainError invalid_params where the input is of several kinds */
export const embeddingTask = ({ model, input }: Schemas['EmbeddingRequest']): TaskRequest => ({
  ...{ workload: 'embedding', inputs: inputsOf(input) },
  ...defined('model_ref', model),
  ...common,
})

/** Most inputs of one request. */
const most_inputs = 2048

function inputsOf(input: Schemas['EmbeddingRequest']['input']): EmbeddingInput[] {
  if (typeof input === 'string') return [input]
  const ids = input.filter((one) => typeof one === 'number')
  if (ids.length === input.length) return [ids]
  const inputs = input.filter((one) => typeof one !== 'number')
  const texts = inputs.filter((one) => typeof one === 'string')
  if (ids.length > 0 || (texts.length > 0 && texts.length < inputs.length))
    refuseField('input', 'must be texts, token ids, or lists of token ids, not several of these')
  if (inputs.includes('')) refuseField('input', 'must be texts that are not empty')
  return inputs.length <= most_inputs ? inputs : refuseField('input', `must be at most ${most_inputs} texts or lists of token ids`)
}

/** The vectors of a task that has completed. @throws DomainError invalid_params where they were to be of another length */
export function embeddingList(
  { model, encoding_format, dimensions }: Schemas['EmbeddingRequest'],
  vectors: readonly (readonly number[])[],
  tokens: number,
): Schemas['EmbeddingList'] {
  const length = vectors[0]?.length ?? 0
  if (dimensions != null && dimensions !== length) refuseField('dimensions', `a vector of this model has ${length} numbers`)
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
