import { engines as table } from '../../generated/engines.ts'
import { engines as builtIn } from '../adapters/engines/registry.ts'
import { modelPath } from '../adapters/system/model-path.ts'
import { ConfigError, keyVariableOf, problemText, type Config, type Relation } from '../config/config.ts'
import { soundBeside } from '../config/relation.ts'
import { catalogIdOf } from '../domain/catalog/catalog.ts'
import type { Clock } from '../ports/clock.ts'
import type { Engine } from '../ports/engine.ts'
import type { EngineDefinition, EngineRegistry } from '../ports/engine-definition.ts'
import type { Log } from '../ports/telemetry.ts'
import type { PoolConfig, ReplicaConfig } from '../services/pools/pool.ts'

/** What engines are made with. */
export interface EngineMakerParts {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** Keys of engines' servers by the variables that hold them; none unless given. */
  readonly keys?: ReadonlyMap<string, string>
  /** The engines there are; those of the daemon unless given. */
  readonly registry?: EngineRegistry
}

/** Makes the engine of one replica; `resolve` finds the file of a catalog model. @throws ConfigError where the model reference cannot be used */
export type EngineFactory = (pool: PoolConfig, replica: ReplicaConfig, resolve: (model_id: string) => Promise<string>) => Engine

/** Makes engines as the registry says; only those that a pool names are loaded. @throws ConfigError where the model of a configured pool cannot be used */
export async function enginesOf({ config, clock, log, keys, registry = builtIn }: EngineMakerParts): Promise<EngineFactory> {
  // Before anything else of the daemon is there: a pool that cannot be made is an error of the configuration.
  const problems = modelFilesExist(config, soundBeside([]))
  if (problems.length > 0) throw new ConfigError(problems.map(problemText))
  const names = [...new Set(config.pools.map(({ engine }) => engine))]
  const used = new Map(await Promise.all(names.map(async (name) => [name, await definitionOf(name, registry)] as const)))
  return (pool, replica, resolve) => {
    const onOutput = (output: string): void => {
      log.info({ event: 'engine', pool_id: pool.id, replica_id: replica.id, output }, 'The engine wrote a line.')
    }
    const definition = used.get(pool.engine)
    if (definition === undefined) throw new Error(`no pool was configured with ${pool.engine}`)
    const api_key = keys?.get(keyVariableOf(pool, replica) ?? '')
    const modelFile = modelFileOf(pool, config, resolve)
    return definition.create({ pool, replica, modelFile, clock, onOutput, ...(api_key === undefined ? {} : { api_key }) })
  }
}

async function definitionOf(name: string, registry: EngineRegistry): Promise<EngineDefinition> {
  const load = registry[name]
  if (load === undefined) throw new ConfigError([`there is no engine ${name}`])
  return (await load()).definition
}

/** A relation of the configuration: the npm packages are installed that pools need. */
export const librariesInstalled: Relation = ({ pools }, sound) => {
  if (!sound('pools')) return []
  return pools.flatMap((pool, i) => {
    if (!sound('pools', i, 'engine') || !sound('pools', i, 'driver')) return []
    const library = libraryOf(pool)
    if (library === undefined || isInstalled(library)) return []
    return [{ path: ['pools', i, 'driver'], says: `${pool.driver} needs ${library}: run npm install ${library}` }]
  })
}

function libraryOf({ engine, driver }: PoolConfig): string | undefined {
  const drivers: Readonly<Record<string, object>> = table[engine].drivers
  const { library } = (drivers[driver] ?? {}) as { readonly library?: string }
  return library
}

function isInstalled(library: string): boolean {
  try {
    import.meta.resolve(library)
    return true
  } catch {
    return false
  }
}

/** A relation of the configuration: the files of models are where pools look for them. */
export const modelFilesExist: Relation = ({ pools, models_dir }, sound) => {
  if (!sound('pools') || !sound('models_dir')) return []
  return pools.flatMap((pool, i) => {
    const path = ['pools', i, 'model']
    if (!sound(...path) || !pool.model.startsWith('file:')) return []
    try {
      modelPath(pool.model, models_dir)
      return []
    } catch (error) {
      return [{ path, says: `${error instanceof Error ? error.message : String(error)} (${models_dir})` }]
    }
  })
}

function modelFileOf(
  { id, model }: PoolConfig,
  { models_dir }: Config,
  resolve: (model_id: string) => Promise<string>,
): () => Promise<string> {
  const catalog_id = catalogIdOf(model)
  if (catalog_id !== undefined) return () => resolve(catalog_id)
  if (!model.startsWith('file:')) return () => Promise.reject(new Error(`${model} is no file`))
  try {
    const path = modelPath(model, models_dir)
    return () => Promise.resolve(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([`pool ${id}: ${why} (${models_dir})`], { cause })
  }
}
