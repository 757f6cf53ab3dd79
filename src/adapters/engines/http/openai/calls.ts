import { estimatePrompt } from '../../../../domain/prompt-size.ts'
import { estimateInput } from '../../../../domain/task-rules.ts'
import type { Part } from '../../../../domain/stream/part.ts'
import type { EmbeddingInput } from '../../../../domain/task.ts'
import type { GenerateRequest } from '../../../../ports/engine.ts'
import { parsed, type EngineClient } from '../client.ts'
import type { Embeddings, Plan } from '../dialect.ts'
import { EngineFault, nonsense, notServed } from '../faults.ts'
import { sse } from '../framing.ts'
import { numberOf, numbersOf, objectOf, objectsOf, type Json, type JsonObject } from '../json.ts'
import { chatBody, completionBody, type BodyStyle } from './body.ts'
import { ChatReader } from './chat-reader.ts'
import { CompletionReader } from './completion-reader.ts'

/** A chat or a prompt by OpenAI's calls. @param v1 path before them, such as `/v1` */
export function openAiGeneration(
  request: GenerateRequest,
  { v1, model, style }: { readonly v1: string; readonly model: string; readonly style: BodyStyle },
  onPart: (part: Part) => void,
): Plan {
  const { prompt } = request
  const estimate = estimatePrompt(prompt)
  return 'text' in prompt
    ? {
        path: `${v1}/completions`,
        body: completionBody(request, prompt.text, model, style),
        framing: sse,
        reader: new CompletionReader(onPart, estimate),
      }
    : {
        path: `${v1}/chat/completions`,
        body: chatBody(request, prompt, model, style),
        framing: sse,
        reader: new ChatReader(onPart, estimate),
      }
}

/** One model of a server's list. */
export type ServedModel = JsonObject & { readonly id: string }

/** The models of a list of `/v1/models`. @param list Together has it without an object around it */
const modelsIn = (list: Json): readonly JsonObject[] => objectsOf(list instanceof Array ? list : objectOf(list)['data'])

/** The model of a reference in the list of `/v1/models`: the one it names, or with `served:` the only one. @throws EngineFault where there is none */
export function servedModel(list: Json, model_ref: string): ServedModel {
  const models = modelsIn(list).flatMap((model): ServedModel[] => (typeof model['id'] === 'string' ? [{ ...model, id: model['id'] }] : []))
  const name = nameOf(model_ref)
  if (name !== undefined) {
    const found = models.find((model) => model.id === name || (model['aliases'] instanceof Array && model['aliases'].includes(name)))
    if (found === undefined) throw notServed(name, models.length)
    return withContext(found, models)
  }
  const [only, ...others] = models
  if (only === undefined) throw new EngineFault('failed', 'the engine serves no model')
  if (others.length > 0) throw new EngineFault('failed', 'the engine serves several models: name one in model')
  return only
}

/** An adapter in the lists of vLLM and SGLang has the context of the model that it is put on, which alone tells it. */
function withContext(model: ServedModel, models: readonly ServedModel[]): ServedModel {
  const base = models.find(({ id }) => id === model['parent'])
  return base === undefined ? model : { ...model, max_model_len: model['max_model_len'] ?? base['max_model_len'] }
}

/** Whether the text of a list of `/v1/models` has a model. @throws EngineFault where it is no JSON */
export const lists = (list: string, id: string): boolean => modelsIn(parsed(list)).some((model) => model['id'] === id)

/** The name of the model at the server; undefined where it is whatever the server serves. */
export const nameOf = (model_ref: string): string | undefined =>
  model_ref.startsWith('served:') ? undefined : model_ref.slice(model_ref.indexOf(':') + 1)

/** `/v1/embeddings`. @throws EngineFault */
export async function openAiEmbeddings(
  client: EngineClient,
  { v1, model }: { readonly v1: string; readonly model: string },
  inputs: readonly EmbeddingInput[],
  signal: AbortSignal,
): Promise<Embeddings> {
  const answer = await client.post(`${v1}/embeddings`, { model, input: inputs, encoding_format: 'float' }, signal)
  const vectors: number[][] = []
  objectsOf(answer['data']).forEach((item, i) => (vectors[numberOf(item['index']) ?? i] = numbersOf(item['embedding'])))
  if (vectors.length !== inputs.length || vectors.some((vector) => vector.length === 0))
    throw nonsense(new Error('not a vector for each input'))
  return { vectors, tokens_in: numberOf(objectOf(answer['usage'])['prompt_tokens']) ?? sumOf(inputs) }
}

const sumOf = (inputs: readonly EmbeddingInput[]): number => inputs.reduce((sum, input) => sum + estimateInput(input), 0)

/** Whether a server has a call: it answers, or refuses for another reason than that there is none. @throws EngineFault where it fails */
export async function hasCall(client: EngineClient, path: string, body: object, signal: AbortSignal): Promise<boolean> {
  try {
    await client.postForValue(path, body, signal)
    return true
  } catch (error) {
    if (error instanceof EngineFault && error.kind === 'refused') return false
    throw error
  }
}
