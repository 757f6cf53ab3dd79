import { createLlamaCppEngine } from '../adapters/engines/llamacpp/engine.ts'
import { MockEngine } from '../adapters/engines/mock/engine.ts'
import { modelPath } from '../adapters/system/model-path.ts'
import { ConfigError, type Config } from '../config/config.ts'
import { catalogIdOf } from '../domain/catalog/catalog.ts'
import type { Clock } from '../ports/clock.ts'
import type { Engine } from '../ports/engine.ts'
import type { Log } from '../ports/telemetry.ts'
import type { PoolConfig, ReplicaConfig } from '../services/pools/pool.ts'

/** What engines are made with. */
export interface EngineParts {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

/** Makes the engine of one replica; `resolve` finds the file of a catalog model. @throws ConfigError where the model reference cannot be used */
export type EngineFactory = (pool: PoolConfig, replica: ReplicaConfig, resolve: (model_id: string) => Promise<string>) => Engine

/** Makes engines as their pools' drivers say. @throws ConfigError where the model reference of a configured pool cannot be used */
export function enginesOf({ config, clock, log }: EngineParts): EngineFactory {
  const engines: EngineFactory = (pool, replica, resolve) => {
    const { ctx } = pool
    const { slots } = replica
    if (pool.driver === 'in-process') return new MockEngine({ ctx, slots, ...pool.mock, clock })
    const onOutput = (output: string): void => {
      log.info({ event: 'engine', pool_id: pool.id, replica_id: replica.id, output }, 'The engine wrote a line.')
    }
    return createLlamaCppEngine({ model_path: modelOf(pool, config, resolve), ctx, slots, ...pool.llamacpp, onOutput })
  }
  // Before anything else of the daemon is there: a pool that cannot be made is an error of the configuration.
  for (const pool of config.pools) for (const replica of pool.replicas) engines(pool, replica, unresolved)
  return engines
}

const unresolved = (model_id: string): Promise<string> => Promise.reject(new Error(`model ${model_id} is looked for too early`))

function modelOf(
  pool: PoolConfig,
  { models_dir }: Config,
  resolve: (model_id: string) => Promise<string>,
): string | (() => Promise<string>) {
  const catalog_id = catalogIdOf(pool.model)
  if (catalog_id !== undefined) return () => resolve(catalog_id)
  try {
    return modelPath(pool.model, models_dir)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`pools.${pool.id}.model: ${why} (${models_dir})`, { cause })
  }
}
