import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Feature } from '../../../domain/task.ts'
import type { EngineClient } from '../http/client.ts'
import type { Dialect, ServerProps } from '../http/dialect.ts'
import { EngineFault, nonsense } from '../http/faults.ts'
import { ndjson } from '../http/framing.ts'
import { numberOf, numbersOf, objectsOf, textOf, type Json, type JsonObject } from '../http/json.ts'
import { nameOf } from '../http/openai/calls.ts'
import { chatBody, generateBody, objectionTo } from './body.ts'
import { OllamaReader } from './reader.ts'

/** What a capability of an Ollama model is called here. */
const featureOf: Readonly<Record<string, Feature>> = { tools: 'tools', vision: 'images', thinking: 'reasoning' }

/** Ollama. @param model_ref the model it has to have. @param num_ctx context of a slot where the configuration gives it, tokens */
export const ollamaDialect = (model_ref: string, num_ctx: number | undefined): Dialect => ({
  health: '/api/version',
  inspect: (client, signal) => inspect(client, model_ref, num_ctx, signal),
  load: (client, { model, workloads }, signal) => load(client, { model, num_ctx, embeds: workloads.includes('embedding') }, signal),
  unload: async (client, { model }, signal) => {
    await client.post('/api/generate', { model, stream: false, keep_alive: 0 }, signal)
  },
  objection: objectionTo,
  generation: (request, { model }, onPart) => {
    const { prompt } = request
    const shared = { framing: ndjson, reader: new OllamaReader(onPart, estimatePrompt(prompt)) }
    return 'text' in prompt
      ? { path: '/api/generate', body: generateBody(request, prompt.text, model, num_ctx), ...shared }
      : { path: '/api/chat', body: chatBody(request, prompt, model, num_ctx), ...shared }
  },
  // It has no call that counts.
  count: (_client, prompt) => Promise.resolve(estimatePrompt(prompt)),
  embed: async (client, inputs, { model }, signal) => {
    const body = { model, input: inputs, truncate: false, options: { num_ctx } }
    const { embeddings, prompt_eval_count } = await client.post('/api/embed', body, signal)
    if (!(embeddings instanceof Array) || embeddings.length !== inputs.length) throw nonsense(new Error('not a vector for each input'))
    return { vectors: embeddings.map(numbersOf), tokens_in: numberOf(prompt_eval_count) ?? 0 }
  },
})

async function inspect(client: EngineClient, model_ref: string, num_ctx: number | undefined, signal: AbortSignal): Promise<ServerProps> {
  const { version } = await client.get('/api/version', signal)
  const { model, tag } = modelIn(await client.get('/api/tags', signal), nameOf(model_ref))
  const can = await capabilitiesOf(client, model, tag, signal)
  const embeds = can.includes('embedding')
  // So that it can say how large its context is.
  await load(client, { model, num_ctx, embeds }, signal)
  const loaded = objectsOf((await client.get('/api/ps', signal))['models']).find(({ name }) => name === model)
  // It gives a model no more than that was trained with.
  const ctx_max = Math.min(num_ctx ?? Infinity, numberOf(loaded?.['context_length']) ?? Infinity)
  if (ctx_max === Infinity) throw new EngineFault('failed', 'the engine does not tell its context: give it as ctx')
  const digest = textOf(tag['digest'])
  return {
    engine_version: textOf(version) ?? 'unknown',
    model,
    ctx_max,
    tokens_estimated: true,
    workloads: embeds ? ['embedding'] : ['completion'],
    features: [
      ...(['chat_template', 'system_messages', 'stop_sequences', 'json_object', 'json_schema', 'penalties', 'prefill'] as const),
      ...(can.includes('thinking') ? [] : (['continues'] as const)),
      ...can.flatMap((word) => (typeof word === 'string' ? (featureOf[word] ?? []) : [])),
    ],
    ...(digest === undefined ? {} : { model_digest: digest }),
    loads: true,
  }
}

/** What a model can. Versions before 0.30 do not list it, and those before 0.6.4 do not tell at all. */
async function capabilitiesOf(client: EngineClient, model: string, tag: JsonObject, signal: AbortSignal): Promise<readonly Json[]> {
  const told = tag['capabilities'] ?? (await client.post('/api/show', { model }, signal))['capabilities']
  return told instanceof Array ? told : ['completion']
}

interface Loading {
  readonly model: string
  readonly num_ctx: number | undefined
  readonly embeds: boolean
}

/** An empty prompt loads the model; one that embeds takes none, and is loaded by an embedding of nothing. */
async function load(client: EngineClient, { model, num_ctx, embeds }: Loading, signal: AbortSignal): Promise<void> {
  const options = { num_ctx }
  if (embeds) await client.post('/api/embed', { model, input: [], options }, signal)
  else await client.post('/api/generate', { model, stream: false, options }, signal)
}

/** The model of that name, with or without its tag; without a name the only one there is. */
function modelIn(list: JsonObject, name: string | undefined): { readonly model: string; readonly tag: JsonObject } {
  const tags = objectsOf(list['models'])
  const found =
    name === undefined ? (tags.length === 1 ? tags : []) : tags.filter((tag) => tag['name'] === name || tag['name'] === `${name}:latest`)
  const [tag] = found
  const model = textOf(tag?.['name'])
  if (tag === undefined || model === undefined)
    throw new EngineFault(
      'failed',
      name === undefined ? 'the engine has not one model but others: name one in model' : `the engine does not have ${name}`,
    )
  return { model, tag }
}
