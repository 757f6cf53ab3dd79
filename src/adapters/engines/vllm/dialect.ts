import type { Feature } from '../../../domain/task.ts'
import type { EngineClient } from '../http/client.ts'
import { batched_slots, type Dialect, type ServerProps } from '../http/dialect.ts'
import { nonsense } from '../http/faults.ts'
import { gaugeIn } from '../http/gauge.ts'
import { numberOf, textOf } from '../http/json.ts'
import { continuing, conversationFor, type BodyStyle } from '../http/openai/body.ts'
import { hasCall, openAiEmbeddings, openAiGeneration, servedModel } from '../http/openai/calls.ts'
import { rerank } from '../http/openai/rerank.ts'

const v1 = '/v1'
// It tells thoughts as `reasoning`, and since then takes them by that name alone (vllm-project/vllm#38488).
const style: BodyStyle = { repeat_penalty: 'repetition_penalty', max_tokens: 'max_tokens', reasoning: true }

/** vLLM. @param model_ref the model it has to serve. @param features what it can beyond what it tells */
export const vllmDialect = (model_ref: string, features: readonly Feature[]): Dialect => ({
  health: '/health',
  usual_slots: batched_slots,
  inspect: (client, signal) => inspect(client, model_ref, features, signal),
  generation: (request, { model }, onPart) => {
    const plan = openAiGeneration(request, { v1, model, style }, onPart)
    return { ...plan, body: { ...plan.body, ...continuing(request.prompt) } }
  },
  count: async (client, prompt, { model }, signal) => {
    const asked = 'text' in prompt ? { prompt: prompt.text } : { ...conversationFor(prompt, style), ...continuing(prompt) }
    const count = numberOf((await client.post('/tokenize', { model, ...asked }, signal))['count'])
    if (count === undefined) throw nonsense(new Error('no count of tokens'))
    return count
  },
  embed: (client, inputs, { model }, signal) => openAiEmbeddings(client, { v1, model }, inputs, signal),
  rerank: (client, query, documents, { model }, signal) => rerank(client, { model, query, documents }, signal),
  kvUsage: async (client, _server, signal) =>
    gaugeIn(await client.text('/metrics', signal), 'vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'),
})

async function inspect(client: EngineClient, model_ref: string, also: readonly Feature[], signal: AbortSignal): Promise<ServerProps> {
  const served = servedModel(await client.get(`${v1}/models`, signal), model_ref)
  const ctx_max = numberOf(served['max_model_len'])
  if (ctx_max === undefined) throw nonsense(new Error('no max_model_len'))
  const { version } = await client.get('/version', signal)
  const model = served.id
  const messages = [{ role: 'user', content: 'a' }]
  const tools = [{ type: 'function', function: { name: 'a', parameters: { type: 'object', properties: {} } } }]
  // What it was started for it only says when it is asked, and each of these costs a token at most.
  const [completes, embeds, ranks, chats, calls] = await Promise.all([
    hasCall(client, `${v1}/completions`, { model, prompt: 'a', max_tokens: 1 }, signal),
    hasCall(client, `${v1}/embeddings`, { model, input: ['a'] }, signal),
    hasCall(client, '/rerank', { model, query: 'a', documents: ['a'] }, signal),
    hasCall(client, '/tokenize', { model, messages }, signal),
    hasCall(client, `${v1}/chat/completions`, { model, messages, tools, tool_choice: 'auto', max_tokens: 1 }, signal),
  ])
  const features: Feature[] = ['stop_sequences', 'logprobs', 'penalties', 'logit_bias', ...also]
  if (chats) features.push('chat_template', 'system_messages', 'json_object', 'json_schema', 'prefill')
  if (calls) features.push('tools')
  if (!features.includes('reasoning')) features.push('continues')
  if (embeds) features.push('token_inputs')
  return {
    engine_version: textOf(version) ?? 'unknown',
    model,
    ctx_max,
    workloads: [
      ...(completes ? (['completion'] as const) : []),
      ...(embeds ? (['embedding'] as const) : []),
      ...(ranks ? (['rerank'] as const) : []),
    ],
    features,
  }
}
