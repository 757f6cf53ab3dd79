import type { Feature } from '../../../../domain/task.ts'
import type { Conversation, GenerateRequest } from '../../../../ports/engine.ts'
import { objectIn, type EngineClient } from '../../http/client.ts'
import type { Dialect, Plan, ServerProps } from '../../http/dialect.ts'
import { EngineFault, nonsense } from '../../http/faults.ts'
import { sse } from '../../http/framing.ts'
import { numberOf, objectOf, objectsOf, textOf, type JsonObject } from '../../http/json.ts'
import { hasCall, openAiEmbeddings, openAiGeneration, servedModel } from '../../http/openai/calls.ts'
import { conversationFor, type BodyStyle } from '../../http/openai/body.ts'
import { rerank } from '../../http/openai/rerank.ts'
import { completionBody, CompletionReader, likelyToAsk, seedOf, withLikely } from './completion.ts'
import { isFull, isRouter, loadModel, queryOf, routedModel, unloadModel } from './router.ts'

const v1 = '/v1'
const style: BodyStyle = { repeat_penalty: 'repeat_penalty', max_tokens: 'max_tokens' }

/** llama.cpp's `llama-server`. @param model_ref the model it has to serve; it takes any name in a request */
export const llamaServerDialect = (model_ref: string): Dialect => ({
  health: '/health',
  inspect: (client, signal) => inspect(client, model_ref, signal),
  load: (client, { model }, signal) => loadModel(client, model, signal),
  unload: (client, { model }, signal) => unloadModel(client, model, signal),
  objection: ({ logprobs, tools }) =>
    logprobs === true && tools !== undefined ? { field: 'logprobs', why: 'llama-server tells none beside tools' } : undefined,
  generation: (request, { model }, onPart): Plan => {
    const { prompt, chat } = request
    const wanted = withLikely(onPart, chat)
    if (!('text' in prompt)) return withOwn(openAiGeneration(withOneTool(request, prompt), { v1, model, style }, wanted), request)
    const body = { ...completionBody(request, prompt.text), model }
    return { path: '/completion', body, framing: sse, reader: new CompletionReader(wanted) }
  },
  count: async (client, prompt, { model }, signal) => {
    if ('text' in prompt) return tokens(client, model, prompt.text, signal)
    // The template is the model's own; its text is without BOS, which the tokenizer adds.
    const templated = await client.post('/apply-template', { ...conversationFor(prompt, style), model }, signal)
    return tokens(client, model, textOf(templated['prompt']) ?? '', signal)
  },
  embed: (client, inputs, { model }, signal) => openAiEmbeddings(client, { v1, model }, inputs, signal),
  rerank: (client, query, documents, { model }, signal) => rerank(client, { model, query, documents }, signal),
  // With `--sleep-idle-seconds` it frees its memory where nothing is asked of it, and `/slots` counts as asking.
  kvWakes: true,
  kvUsage: async (client, { model, loads }, signal) => {
    const slots = objectsOf(await client.value(loads === true ? `/slots?${queryOf(model)}` : '/slots', signal))
    const used = slots.reduce((sum, slot) => sum + (numberOf(slot['n_prompt_tokens']) ?? 0) + decoded(slot), 0)
    const all = slots.reduce((sum, slot) => sum + (numberOf(slot['n_ctx']) ?? 0), 0)
    return all === 0 ? undefined : Math.min(1, used / all)
  },
})

const decoded = (slot: JsonObject): number => numberOf(objectsOf(slot['next_token'])[0]?.['n_decoded']) ?? 0

/** It takes the choice of a tool by a word alone, and passes over one that is named: that one is the only one then. */
function withOneTool(request: GenerateRequest, prompt: Conversation): GenerateRequest {
  const { tool_choice } = request.chat
  if (typeof tool_choice !== 'object') return request
  const tools = prompt.tools?.filter(({ function: { name } }) => name === tool_choice.function.name) ?? []
  return { ...request, prompt: { ...prompt, tools }, chat: { ...request.chat, tool_choice: 'required' } }
}

/** A chat with what is its own beside OpenAI's. */
const withOwn = (plan: Plan, { kv, seed, chat }: GenerateRequest): Plan => ({
  ...plan,
  body: {
    ...{ ...plan.body, seed: seedOf(seed), cache_prompt: kv === 'reuse' },
    ...(chat.logprobs === true ? { top_logprobs: likelyToAsk(chat) } : {}),
  },
})

async function tokens(client: EngineClient, model: string, content: string, signal: AbortSignal): Promise<number> {
  const { tokens } = await client.post('/tokenize', { model, content, add_special: true, parse_special: true }, signal)
  if (!(tokens instanceof Array)) throw nonsense(new Error('no list of tokens'))
  return tokens.length
}

async function inspect(client: EngineClient, model_ref: string, signal: AbortSignal): Promise<ServerProps> {
  const own = await client.get('/props', signal)
  if (!isRouter(own)) {
    const { id } = servedModel(await client.get(`${v1}/models`, signal), model_ref)
    return { ...(await propsOf(client, id, own, signal)), health: '/props' }
  }
  const model = await routedModel(client, model_ref, signal)
  await loadModel(client, model, signal)
  const health = `/props?${queryOf(model)}`
  const server = await propsOf(client, model, await client.get(health, signal), signal)
  return { ...server, health, loads: true, ...(isFull(own) ? { reload: 'swap' } : {}) }
}

/** What a llama-server says of itself, or a router of one of its own. */
async function propsOf(client: EngineClient, model: string, props: JsonObject, signal: AbortSignal): Promise<ServerProps> {
  const ctx_max = numberOf(objectOf(props['default_generation_settings'])['n_ctx'])
  if (ctx_max === undefined) throw nonsense(new Error('no context in /props'))
  const slots = numberOf(props['total_slots'])
  const identity = identityOf(props)
  const can = await workloads(client, model, signal)
  const tools = await canTools(client, model, props, signal)
  return {
    engine_version: textOf(props['build_info']) ?? 'unknown',
    model,
    ctx_max,
    workloads: can,
    features: [...featuresOf(props, tools), ...(can.includes('embedding') ? (['token_inputs'] as const) : [])],
    ...(slots === undefined ? {} : { slots }),
    isSame: (answer) => identityOf(objectIn(answer)) === identity,
  }
}

/** What is another where a server has been started anew with another model or other settings. */
const identityOf = ({ build_info, model_alias, model_path, total_slots, chat_template, default_generation_settings }: JsonObject): string =>
  JSON.stringify([build_info, model_alias, model_path, total_slots, chat_template, objectOf(default_generation_settings)['n_ctx']])

/** What it was started for: it says of the rest that it cannot, and only when it is asked. */
async function workloads(client: EngineClient, model: string, signal: AbortSignal): Promise<ServerProps['workloads']> {
  const calls = [
    ['completion', '/completion', { prompt: 'a', n_predict: 1 }],
    ['embedding', '/v1/embeddings', { input: ['a'] }],
    ['rerank', '/rerank', { query: 'a', documents: ['a'] }],
  ] as const
  const can = await Promise.all(calls.map(([, path, body]) => hasCall(client, path, { ...body, model }, signal)))
  return calls.flatMap(([workload], i) => (can[i] === true ? [workload] : []))
}

/** Whether its template tells the model of tools. Versions of 2025 do not say: then one is put into it. */
async function canTools(client: EngineClient, model: string, props: JsonObject, signal: AbortSignal): Promise<boolean> {
  const { chat_template_caps: caps } = props
  if (caps !== undefined) return objectOf(caps)['supports_tools'] === true
  const name = 'orchestratord_asks'
  const tools = [{ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } }]
  try {
    const messages = [{ role: 'user', content: 'a' }]
    return textOf((await client.post('/apply-template', { model, messages, tools }, signal))['prompt'])?.includes(name) === true
  } catch (error) {
    // Without `--jinja` it refuses them.
    if (error instanceof EngineFault && error.status !== undefined) return false
    throw error
  }
}

function featuresOf(props: JsonObject, tools: boolean): Feature[] {
  const features: Feature[] = ['stop_sequences', 'kv_reuse', 'logprobs', 'penalties', 'logit_bias']
  if (textOf(props['chat_template']) === undefined) return [...features, 'continues']
  features.push('chat_template', 'system_messages', 'json_object', 'json_schema', 'prefill')
  const { supports_reasoning_effort, supports_preserve_reasoning } = objectOf(props['chat_template_caps'])
  const { vision, audio } = objectOf(props['modalities'])
  if (tools) features.push('tools')
  features.push(supports_reasoning_effort === true || supports_preserve_reasoning === true ? 'reasoning' : 'continues')
  if (vision === true) features.push('images')
  if (audio === true) features.push('audio')
  return features
}
