import { estimatePrompt } from '../../../domain/prompt-size.ts'
import type { Sampling } from '../../../ports/engine.ts'
import { batched_slots, type Dialect } from '../http/dialect.ts'
import { nonsense, notServed } from '../http/faults.ts'
import { sse } from '../http/framing.ts'
import { numberOf, textOf } from '../http/json.ts'
import type { BodyStyle } from '../http/openai/body.ts'
import { nameOf, openAiGeneration } from '../http/openai/calls.ts'
import { TgiChatReader } from './chat-reader.ts'
import { generateBody, TgiReader } from './generate.ts'

const style: BodyStyle = { repeat_penalty: 'repetition_penalty', max_tokens: 'max_tokens' }

/** A value that turns `top_p` off is an error there. */
const withoutOff = ({ top_p = 1, ...sampling }: Sampling): Sampling => (top_p > 0 && top_p < 1 ? { ...sampling, top_p } : sampling)

/** Hugging Face's Text Generation Inference. @param model_ref the model it has to serve */
export const tgiDialect = (model_ref: string): Dialect => ({
  health: '/health',
  usual_slots: batched_slots,
  inspect: async (client, signal) => {
    const info = await client.get('/info', signal)
    const model = textOf(info['model_id']) ?? ''
    const name = nameOf(model_ref) ?? model
    if (name !== model) throw notServed(name, 1)
    const ctx_max = numberOf(info['max_total_tokens'])
    if (ctx_max === undefined) throw nonsense(new Error('no max_total_tokens'))
    const slots = numberOf(info['max_concurrent_requests'])
    return {
      ...{ engine_version: textOf(info['version']) ?? 'unknown', model, ctx_max },
      ...{
        tokens_estimated: true,
        workloads: ['completion'],
        features: ['chat_template', 'system_messages', 'stop_sequences', 'tools', 'continues'],
      },
      ...(slots === undefined ? {} : { slots }),
    }
  },
  generation: (request, { model }, onPart) => {
    const { prompt, sampling } = request
    if (!('text' in prompt)) {
      const plan = openAiGeneration({ ...request, sampling: withoutOff(sampling) }, { v1: '/v1', model, style }, onPart)
      return { ...plan, reader: new TgiChatReader(onPart, request) }
    }
    const reader = new TgiReader(onPart, sampling.stop, estimatePrompt(prompt))
    return { path: '/generate_stream', body: generateBody(request, prompt.text), framing: sse, reader }
  },
  count: async (client, prompt, _server, signal) => {
    // It counts a text; how long a chat becomes in its template it does not tell.
    if (!('text' in prompt)) return estimatePrompt(prompt)
    const tokens = await client.postForValue('/tokenize', { inputs: prompt.text }, signal)
    if (!(tokens instanceof Array)) throw nonsense(new Error('no list of tokens'))
    return tokens.length
  },
})
