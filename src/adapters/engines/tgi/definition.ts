import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { given } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { tgiDialect } from './dialect.ts'

/** Hugging Face's Text Generation Inference. */
export const definition: EngineDefinition<components['schemas']['TgiPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('A server of Text Generation Inference', ['tgi:', 'hf:'], async (ask) => {
    const { model_id, max_total_tokens } = given(await ask('/info'))
    return typeof model_id === 'string' && max_total_tokens !== undefined ? [model_id] : undefined
  }),
  features: ['replayable', 'chat_template', 'system_messages', 'stop_sequences', 'tools', 'continues'],
  create: (parts) => serverEngine(parts, tgiDialect),
}
