import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { listed } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { vllmDialect } from './dialect.ts'

/** vLLM. */
export const definition: EngineDefinition<components['schemas']['VllmPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('A vLLM server', ['vllm:', 'hf:'], async (ask) => listed(await ask('/v1/models'), 'vllm')),
  features: [
    ...([
      'replayable',
      'chat_template',
      'system_messages',
      'stop_sequences',
      'tools',
      'json_object',
      'json_schema',
      'images',
      'audio',
    ] as const),
    ...(['logprobs', 'reasoning', 'penalties', 'logit_bias', 'prefill', 'continues', 'token_inputs'] as const),
  ],
  create: (parts) => serverEngine(parts, (model_ref) => vllmDialect(model_ref, parts.pool.vllm.features)),
}
