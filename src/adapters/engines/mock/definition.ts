import type { components } from '../../../../generated/config.ts'
import type { EngineDefinition } from '../../../ports/engine-definition.ts'
import { MockEngine, mockFeatures } from './engine.ts'

/** The mock: an engine without a model. */
export const definition: EngineDefinition<components['schemas']['MockPool']> = {
  options: new URL('options.json', import.meta.url),
  drivers: { 'in-process': { description: 'The mock engine, inside the daemon.', schemes: ['mock:'] } },
  features: ['replayable', ...mockFeatures],
  create: ({ pool, replica, clock }) => new MockEngine({ ctx: pool.ctx, slots: replica.slots ?? 1, ...pool.mock, clock }),
}
