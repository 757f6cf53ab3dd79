import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { remoteEngine, serverUrl } from '../http/remote.ts'
import { openAiDialect } from './dialect.ts'

/** Any server that speaks OpenAI's API. */
export const definition: EngineDefinition<components['schemas']['OpenaiPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: {
    external: { description: 'A server that speaks the API of OpenAI.', schemes: ['served:', 'openai:'], remote: true },
  },
  features: [
    ...(['replayable', 'chat_template', 'stop_sequences', 'tools', 'json_object', 'json_schema', 'images', 'audio'] as const),
    ...(['logprobs', 'reasoning', 'penalties', 'logit_bias', 'prefill', 'continues'] as const),
  ],
  create: (parts) => {
    const { pool, replica } = parts
    const v1 = new URL(serverUrl(pool, replica)).pathname === '/' ? '/v1' : ''
    return remoteEngine(parts, openAiDialect({ model_ref: pool.model, v1, ctx: pool.ctx, ...pool.openai }))
  },
}
