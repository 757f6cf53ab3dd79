import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { openAiFeatures } from '../http/openai/features.ts'
import { listed } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { sglangDialect } from './dialect.ts'

/** SGLang. */
export const definition: EngineDefinition<components['schemas']['SglangPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('An SGLang server', ['sglang:', 'hf:'], async (ask) => listed(await ask('/v1/models'), 'sglang')),
  features: openAiFeatures,
  create: (parts) => serverEngine(parts, sglangDialect),
}
