import type { CatalogHooks } from './catalog-jobs.ts'
import type { Drain } from './drain.ts'
import type { Pool } from './pool.ts'
import type { Pools } from './pools.ts'

/** How the pools follow the catalog: a model that may not be served any more is drained and then unloaded. */
export function catalogHooks(pools: Pools, drain: Drain): CatalogHooks {
  const naming = (model_ref: string): Pool[] => pools.all().filter(({ config }) => config.model === model_ref)
  return {
    inUse: (model_ref) => pools.serving().some(({ config, live }) => config.model === model_ref && live),
    engineOf: (model_ref) => pools.serving().find(({ config }) => config.model === model_ref)?.config.engine,
    unload: async (model_ref, deadline_ms) => {
      await Promise.all(
        naming(model_ref).map(
          (pool) =>
            new Promise<void>((resolve, reject) => {
              drain.drain(pool.id, deadline_ms, () => void pool.stop().then(resolve, reject))
            }),
        ),
      )
    },
    load: async (model_ref) => {
      await Promise.all(
        naming(model_ref).map(async (pool) => {
          drain.resume(pool.id)
          if (pool.replicas.every(({ state }) => state === 'stopped')) await pool.start()
        }),
      )
    },
  }
}
