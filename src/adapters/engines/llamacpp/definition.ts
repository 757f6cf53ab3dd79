import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { given, listed } from '../http/recognize.ts'
import { remoteEngine, rootUrl, serverUrl } from '../http/remote.ts'
import { createLlamaCppEngine } from './engine.ts'
import { llamaServerDialect } from './server/dialect.ts'

/** llama.cpp. */
export const definition: EngineDefinition<components['schemas']['LlamacppPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: {
    embedded: { description: 'A GGUF model run by llama.cpp in a supervised child process.', schemes: ['file:', 'catalog:'] },
    external: {
      description: 'A llama-server.',
      schemes: ['served:', 'llamacpp:'],
      remote: true,
      recognize: async (ask) => {
        const props = given(await ask('/props'))
        return 'default_generation_settings' in props || props['role'] === 'router' ? listed(await ask('/v1/models')) : undefined
      },
      options: new URL('server/options.json', import.meta.url),
    },
  },
  features: [
    ...(['replayable', 'chat_template', 'stop_sequences', 'kv_reuse', 'tools', 'json_object', 'json_schema', 'images'] as const),
    ...(['audio', 'logprobs', 'reasoning', 'penalties', 'logit_bias', 'prefill', 'continues'] as const),
  ],
  create: (parts) => {
    const { pool, replica, modelFile, onOutput } = parts
    if (pool.driver === 'external')
      return remoteEngine({ ...parts, pool }, llamaServerDialect(pool.model), rootUrl(serverUrl(pool, replica)))
    return createLlamaCppEngine({ model_path: modelFile, ctx: pool.ctx, slots: replica.slots ?? 1, ...pool.llamacpp, onOutput })
  },
}
