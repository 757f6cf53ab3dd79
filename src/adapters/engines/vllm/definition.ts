import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { openAiFeatures } from '../http/openai/features.ts'
import { listed } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { vllmDialect } from './dialect.ts'

/** vLLM. */
export const definition: EngineDefinition<components['schemas']['VllmPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('A vLLM server', ['vllm:', 'hf:'], async (ask) => listed(await ask('/v1/models'), 'vllm')),
  features: openAiFeatures,
  create: (parts) => serverEngine(parts, (model_ref) => vllmDialect(model_ref, parts.pool.vllm.features)),
}
