import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { given, named } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { ollamaDialect } from './dialect.ts'

/** Ollama. */
export const definition: EngineDefinition<components['schemas']['OllamaPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('An Ollama server', ['ollama:'], async (ask) =>
    'version' in given(await ask('/api/version')) ? named(given(await ask('/api/tags'))['models'], 'name') : undefined,
  ),
  features: [
    ...([
      'replayable',
      'chat_template',
      'system_messages',
      'stop_sequences',
      'tools',
      'json_object',
      'json_schema',
      'images',
      'reasoning',
    ] as const),
    ...(['penalties', 'prefill', 'continues'] as const),
  ],
  create: (parts) => serverEngine(parts, (model_ref) => ollamaDialect(model_ref, parts.pool.ctx)),
}
