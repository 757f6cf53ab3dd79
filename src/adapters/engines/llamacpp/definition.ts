import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { openAiFeatures } from '../http/openai/features.ts'
import { given, listed } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { createLlamaCppEngine } from './engine.ts'
import { llamaServerDialect } from './server/dialect.ts'

const { external, managed } = serverDrivers('A llama-server', ['llamacpp:'], async (ask) => {
  const props = given(await ask('/props'))
  return 'default_generation_settings' in props || props['role'] === 'router' ? listed(await ask('/v1/models')) : undefined
})
const serverOptions = new URL('server/options.json', import.meta.url)

/** llama.cpp. */
export const definition: EngineDefinition<components['schemas']['LlamacppPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: {
    embedded: {
      description: 'A GGUF model run by llama.cpp in a supervised child process.',
      schemes: ['file:', 'catalog:'],
      library: 'node-llama-cpp',
    },
    external: { ...external, options: serverOptions },
    managed: { ...managed, options: serverOptions },
  },
  features: [...openAiFeatures, 'kv_reuse'],
  create: (parts) => {
    const { pool, replica, modelFile, onOutput } = parts
    if (pool.driver !== 'embedded') return serverEngine({ ...parts, pool }, llamaServerDialect)
    const { slots = 1, devices } = replica
    return createLlamaCppEngine({ model_path: modelFile, ctx: pool.ctx, slots, devices, ...pool.llamacpp, onOutput })
  },
}
