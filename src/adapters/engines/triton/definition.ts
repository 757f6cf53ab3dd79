import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { remoteEngine, serverUrl } from '../http/remote.ts'
import { tritonDialect } from './dialect.ts'

/** Triton Inference Server. */
export const definition: EngineDefinition<components['schemas']['TritonPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: { external: { description: 'A Triton Inference Server.', schemes: ['served:', 'triton:'], remote: true } },
  features: ['replayable', 'stop_sequences'],
  create: (parts) => {
    const { pool, replica } = parts
    return remoteEngine(parts, tritonDialect(pool.model, pool.ctx), serverUrl(pool, replica).replace(/\/$/, ''))
  },
}
