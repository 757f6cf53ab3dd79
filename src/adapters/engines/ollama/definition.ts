import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { remoteEngine, rootUrl, serverUrl } from '../http/remote.ts'
import { ollamaDialect } from './dialect.ts'

/** Ollama. */
export const definition: EngineDefinition<components['schemas']['OllamaPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: { external: { description: 'An Ollama server.', schemes: ['served:', 'ollama:'], remote: true } },
  features: [
    ...(['replayable', 'chat_template', 'stop_sequences', 'tools', 'json_object', 'json_schema', 'images', 'reasoning'] as const),
    ...(['penalties', 'prefill', 'continues'] as const),
  ],
  create: (parts) => {
    const { pool, replica } = parts
    return remoteEngine(parts, ollamaDialect(pool.model, pool.ctx), rootUrl(serverUrl(pool, replica)))
  },
}
