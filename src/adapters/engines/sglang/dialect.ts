import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Feature } from '../../../domain/task.ts'
import type { GenerateRequest, Prompt } from '../../../ports/engine.ts'
import type { EngineClient } from '../http/client.ts'
import { batched_slots, type Dialect, type Scores, type ServerProps } from '../http/dialect.ts'
import { EngineFault, nonsense } from '../http/faults.ts'
import { gaugeIn } from '../http/gauge.ts'
import { isObject, numberOf, objectOf, textOf, type JsonObject } from '../http/json.ts'
import { continuing, conversationFor, type BodyStyle } from '../http/openai/body.ts'
import { hasCall, openAiEmbeddings, openAiGeneration, servedModel } from '../http/openai/calls.ts'

const v1 = '/v1'
const style: BodyStyle = { repeat_penalty: 'repetition_penalty', max_tokens: 'max_tokens', audio_url: true }
const messages = [{ role: 'user', content: 'a' }]

/** SGLang, as its `srt/entrypoints/http_server.py` has it. @param model_ref the model it has to serve */
export const sglangDialect = (model_ref: string): Dialect => ({
  // It generates a token for that and takes a second or more: asked only until the server is up, 503 while it warms up.
  health: '/health',
  usual_slots: batched_slots,
  inspect: (client, signal) => inspect(client, model_ref, signal),
  generation: (request, { model }, onPart) => {
    const plan = openAiGeneration(withoutOff(request), { v1, model, style }, onPart)
    return { ...plan, body: { ...plan.body, ...continuing(request.prompt) } }
  },
  count: async (client, prompt, { model, tokens_estimated }, signal) => {
    if (tokens_estimated === true && !('text' in prompt)) return estimatePrompt(prompt)
    try {
      const tokens = numberOf((await client.post('/tokenize', { model, ...asked(prompt) }, signal))['count'])
      if (tokens === undefined) throw nonsense(new Error('no count of tokens'))
      return tokens
    } catch (error) {
      // Versions before 0.5.3 have no such call.
      if (error instanceof EngineFault && error.status === 404) return estimatePrompt(prompt)
      throw error
    }
  },
  embed: (client, inputs, { model }, signal) => openAiEmbeddings(client, { v1, model }, inputs, signal),
  rerank,
  // Only with `--enable-metrics`.
  kvUsage: async (client, _server, signal) => gaugeIn(await client.text('/metrics', signal), 'sglang:token_usage'),
})

const asked = (prompt: Prompt): object =>
  'text' in prompt ? { prompt: prompt.text } : { ...conversationFor(prompt, style), ...continuing(prompt) }

/** A `top_k` of 0 is an error there; to us it stands for none. */
function withoutOff(request: GenerateRequest): GenerateRequest {
  const { top_k, ...sampling } = request.sampling
  return top_k === 0 ? { ...request, sampling } : request
}

async function inspect(client: EngineClient, model_ref: string, signal: AbortSignal): Promise<ServerProps> {
  const served = servedModel(await client.get(`${v1}/models`, signal), model_ref)
  const ctx_max = numberOf(served['max_model_len'])
  if (ctx_max === undefined) throw nonsense(new Error('no max_model_len'))
  const { is_generation, has_image_understanding, has_audio_understanding } = await told(client, 'model_info', signal)
  const server = await told(client, 'server_info', signal)
  const parent = textOf(served['parent'])
  // An adapter is named together with its model: by its own name alone it would not be used.
  const model = parent === undefined ? served.id : `${parent}:${served.id}`
  const generates = is_generation !== false
  const [ranks, countsChats] = await Promise.all([
    !generates && canRank(client, model, signal),
    generates && hasCall(client, '/tokenize', { model, messages }, signal),
  ])
  const slots = numberOf(server['max_running_requests'])
  return {
    engine_version: textOf(server['version']) ?? 'unknown',
    model,
    ctx_max,
    workloads: generates ? ['completion'] : ranks ? ['rerank'] : ['embedding'],
    features: generates
      ? featuresOf(server, has_image_understanding === true, has_audio_understanding === true)
      : ranks
        ? []
        : ['token_inputs'],
    health: `${v1}/models`,
    ...(slots === undefined ? {} : { slots }),
    ...(countsChats ? {} : { tokens_estimated: true }),
  }
}

/** What it tells under a name that older versions had `get_` before. Its `server_info` holds its key: nothing but what is named is read. */
async function told(client: EngineClient, name: string, signal: AbortSignal): Promise<JsonObject> {
  try {
    return await client.get(`/${name}`, signal)
  } catch (error) {
    if (!(error instanceof EngineFault) || error.status !== 404) throw error
    return client.get(`/get_${name}`, signal)
  }
}

/** Tools and thoughts are told apart from text only by the parsers that it was started with. */
function featuresOf(server: JsonObject, images: boolean, audio: boolean): Feature[] {
  const features: Feature[] = ['stop_sequences', 'logprobs', 'penalties', 'logit_bias', 'chat_template', 'system_messages', 'prefill']
  if (server['grammar_backend'] !== 'none') features.push('json_object', 'json_schema')
  if (textOf(server['tool_call_parser']) !== undefined) features.push('tools')
  features.push(textOf(server['reasoning_parser']) === undefined ? 'continues' : 'reasoning')
  if (images) features.push('images')
  if (audio) features.push('audio')
  return features
}

/** A model that ranks pairs has a number for each; any other one of embeddings fails. @throws EngineFault where nobody answers */
async function canRank(client: EngineClient, model: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await rerank(client, 'a', ['a'], { model }, signal)).scores.length === 1
  } catch (error) {
    if (error instanceof EngineFault && (error.status !== undefined || error.kind === 'nonsense')) return false
    throw error
  }
}

/** `/v1/rerank` answers with a list that is sorted by its scores. */
async function rerank(
  client: EngineClient,
  query: string,
  documents: readonly string[],
  { model }: Pick<ServerProps, 'model'>,
  signal: AbortSignal,
): Promise<Scores> {
  const answer = await client.postForValue(`${v1}/rerank`, { model, query, documents }, signal)
  const ranked = answer instanceof Array ? answer.filter(isObject) : []
  const scores: number[] = []
  for (const { index, score } of ranked) scores[numberOf(index) ?? -1] = numberOf(score) ?? NaN
  if (documents.some((_, i) => !Number.isFinite(scores[i]))) throw nonsense(new Error('not a score for each document'))
  const tokens_in = ranked.reduce((sum, { meta_info }) => sum + (numberOf(objectOf(meta_info)['prompt_tokens']) ?? 0), 0)
  return { scores, tokens_in }
}
