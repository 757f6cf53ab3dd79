import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { createLlamaCppEngine } from './engine.ts'

/** llama.cpp. */
export const definition: EngineDefinition<components['schemas']['LlamacppPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: {
    embedded: { description: 'A GGUF model run by llama.cpp in a supervised child process.', schemes: ['file:', 'catalog:'] },
  },
  features: ['replayable', 'chat_template', 'prefill', 'stop_sequences', 'kv_reuse', 'penalties', 'logit_bias', 'continues'],
  create: ({ pool, replica, modelFile, onOutput }) =>
    createLlamaCppEngine({ model_path: modelFile, ctx: pool.ctx, slots: replica.slots, ...pool.llamacpp, onOutput }),
}
