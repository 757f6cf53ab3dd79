import type { components } from '../../../../generated/config.ts'
import { estimatePrompt } from '../../../domain/prompt-size.ts'
import { batched_slots, type Dialect } from '../http/dialect.ts'
import { EngineFault } from '../http/faults.ts'
import { numberOf, objectOf, textOf } from '../http/json.ts'
import { lists, openAiEmbeddings, openAiGeneration, servedModel } from '../http/openai/calls.ts'
import { rerank } from '../http/openai/rerank.ts'

type Options = components['schemas']['OpenaiOptions']

export interface OpenAiDialectOptions extends Options {
  readonly model_ref: string
  /** Path before the calls: that of the URL where it has one, else `/v1`. */
  readonly v1: string
  /** Context where the server tells none, tokens. */
  readonly ctx: number | undefined
}

/** Any server that speaks OpenAI's API. It tells little of itself: the configuration does. */
export function openAiDialect({ model_ref, v1, ctx, features, workloads, max_tokens_field }: OpenAiDialectOptions): Dialect {
  const style = { repeat_penalty: 'repetition_penalty', max_tokens: max_tokens_field }
  return {
    health: `${v1}/models`,
    usual_slots: batched_slots,
    inspect: async (client, signal) => {
      const served = servedModel(await client.value(`${v1}/models`, signal), model_ref)
      const { max_model_len, meta, context_length, context_window } = served
      const told = [max_model_len, objectOf(meta)['n_ctx'], context_length, context_window].map(numberOf)
      const ctx_max = told.find((tokens) => tokens !== undefined) ?? ctx
      if (ctx_max === undefined) throw new EngineFault('failed', 'the engine does not tell its context: give it as ctx')
      return {
        engine_version: textOf(served['owned_by']) ?? 'unknown',
        model: served.id,
        ctx_max,
        workloads,
        features: features.includes('chat_template') ? [...features, 'system_messages'] : features,
        tokens_estimated: true,
        isSame: (answer) => lists(answer, served.id),
      }
    },
    generation: (request, { model }, onPart) => openAiGeneration(request, { v1, model, style }, onPart),
    count: (_client, prompt) => Promise.resolve(estimatePrompt(prompt)),
    embed: (client, inputs, { model }, signal) => openAiEmbeddings(client, { v1, model }, inputs, signal),
    rerank: (client, query, documents, { model }, signal) => rerank(client, { model, query, documents }, signal, v1),
  }
}
