import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { tgiDialect } from './dialect.ts'

/** Hugging Face's Text Generation Inference. */
export const definition: EngineDefinition<components['schemas']['TgiPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('A server of Text Generation Inference', ['tgi:', 'hf:']),
  features: ['replayable', 'chat_template', 'stop_sequences', 'tools'],
  create: (parts) => serverEngine(parts, tgiDialect),
}
