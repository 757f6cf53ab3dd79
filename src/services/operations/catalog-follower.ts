import type { CancelTimer } from '../../ports/clock.ts'
import type { CatalogFollower } from '../catalog/jobs.ts'
import type { Drain } from './drain.ts'
import type { LiveTask } from '../tasks/live-task.ts'
import type { Pool } from '../pools/pool.ts'
import type { Pools } from '../pools/pools.ts'

/** How the pools follow the catalog: a pool whose model may not be served any more runs empty and is suspended until it may, whatever its operator's drains. */
export function catalogFollower(pools: Pools<LiveTask>, drain: Drain): CatalogFollower {
  const emptying = new Map<Pool<LiveTask>, CancelTimer>()
  const naming = (model_ref: string): Pool<LiveTask>[] => pools.all().filter(({ config }) => config.model === model_ref)
  const cancelUnload = (pool: Pool<LiveTask>): void => {
    emptying.get(pool)?.()
    emptying.delete(pool)
  }
  const unload = (pool: Pool<LiveTask>, deadline_ms: number, reason: string): Promise<void> => {
    cancelUnload(pool)
    pool.blocked = reason
    return new Promise((resolve, reject) => {
      const suspend = (): void => {
        emptying.delete(pool)
        pool.suspend(reason).then(resolve, reject)
      }
      emptying.set(pool, drain.empty(pool, deadline_ms, suspend))
    })
  }
  const load = (pool: Pool<LiveTask>): Promise<void> => {
    cancelUnload(pool)
    pool.blocked = undefined
    return pool.resume()
  }
  return {
    inUse: (model_ref) => pools.serving().some(({ config, live, serves }) => config.model === model_ref && (live || serves)),
    engineOf: (model_ref) => pools.serving().find(({ config }) => config.model === model_ref)?.config.engine,
    unload: async (model_ref, deadline_ms, reason) => {
      await Promise.all(naming(model_ref).map((pool) => unload(pool, deadline_ms, reason)))
    },
    load: async (model_ref) => {
      await Promise.all(naming(model_ref).map(load))
    },
  }
}
