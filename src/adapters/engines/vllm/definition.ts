import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { remoteEngine, rootUrl, serverUrl } from '../http/remote.ts'
import { vllmDialect } from './dialect.ts'

/** vLLM. */
export const definition: EngineDefinition<components['schemas']['VllmPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: { external: { description: 'A vLLM server.', schemes: ['served:', 'vllm:', 'hf:'], remote: true } },
  features: [
    ...(['replayable', 'chat_template', 'stop_sequences', 'tools', 'json_object', 'json_schema', 'images', 'audio'] as const),
    ...(['logprobs', 'reasoning', 'penalties', 'logit_bias', 'prefill', 'continues'] as const),
  ],
  create: (parts) => {
    const { pool, replica } = parts
    return remoteEngine(parts, vllmDialect(pool.model, pool.vllm.features), rootUrl(serverUrl(pool, replica)))
  },
}
