import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { remoteEngine, rootUrl, serverUrl } from '../http/remote.ts'
import { tgiDialect } from './dialect.ts'

/** Hugging Face's Text Generation Inference. */
export const definition: EngineDefinition<components['schemas']['TgiPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: { external: { description: 'A server of Text Generation Inference.', schemes: ['served:', 'tgi:', 'hf:'], remote: true } },
  features: ['replayable', 'chat_template', 'stop_sequences', 'tools', 'continues'],
  create: (parts) => {
    const { pool, replica } = parts
    return remoteEngine(parts, tgiDialect(pool.model), rootUrl(serverUrl(pool, replica)))
  },
}
