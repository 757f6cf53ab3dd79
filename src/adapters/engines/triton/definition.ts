import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { given, named } from '../http/recognize.ts'
import { serverDrivers, serverEngine } from '../http/server-engine.ts'
import { tritonDialect } from './dialect.ts'

/** Triton Inference Server. */
export const definition: EngineDefinition<components['schemas']['TritonPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: serverDrivers('A Triton Inference Server', ['triton:'], async (ask) =>
    given(await ask('/v2'))['name'] === 'triton' ? named(await ask('/v2/repository/index', { ready: true }), 'name') : undefined,
  ),
  features: ['replayable', 'stop_sequences', 'penalties'],
  create: (parts) =>
    serverEngine(
      parts,
      (model_ref) => tritonDialect(model_ref, parts.pool.ctx),
      (url) => url.replace(/\/$/, ''),
    ),
}
