import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { openAiFeatures } from '../http/openai/features.ts'
import { listed } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import type { Dialect } from '../http/dialect.ts'
import { openAiDialect } from './dialect.ts'

/** Any server that speaks OpenAI's API. */
export const definition: EngineDefinition<components['schemas']['OpenaiPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('A server that speaks the API of OpenAI', ['openai:'], async (ask) => listed(await ask('/v1/models'))),
  features: openAiFeatures,
  create: (parts) => {
    const { ctx, openai } = parts.pool
    const dialectOf = (model_ref: string, url: string): Dialect =>
      openAiDialect({ model_ref, v1: new URL(url).pathname === '/' ? '/v1' : '', ctx, ...openai })
    return serverEngine(parts, dialectOf, (url) => url)
  },
}
