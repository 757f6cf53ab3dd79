import type { Drain } from '../../services/operations/drain.ts'
import type { ModelAccess } from '../../services/pools/model-access.ts'
import type { Pools } from '../../services/pools/pools.ts'
import type { Tasks } from '../../services/tasks/tasks.ts'
import type { Reload } from '../../services/operations/reload.ts'
import { drainPool } from './drain-pool.ts'
import { getCapabilities } from './get-capabilities.ts'
import { getPoolHealth } from './get-pool-health.ts'
import type { Handlers } from '../handler.ts'
import type { Loads } from '../../services/operations/loads.ts'
import { listQueue } from './list-queue.ts'
import { listPools } from './list-pools.ts'
import { loadPool } from './load-pool.ts'
import { reloadPool } from './reload-pool.ts'
import { resumePool } from './resume-pool.ts'
import { unloadPool } from './unload-pool.ts'

type PoolOperation = Extract<keyof Handlers, 'getCapabilities' | 'listQueue' | `${string}Pool${string}`>

/** The part of the map that is about pools. */
export const poolHandlers = (services: {
  readonly access: Pick<ModelAccess, 'engines' | 'list'>
  readonly drain: Drain
  readonly loads: Loads
  readonly pools: Pick<Pools, 'all' | 'get'>
  readonly reload: Reload
  readonly tasks: Pick<Tasks, 'queue'>
}): Pick<Handlers, PoolOperation> => ({
  getCapabilities: getCapabilities(services),
  listPools: listPools(services),
  getPoolHealth: getPoolHealth(services),
  listQueue: listQueue(services),
  drainPool: drainPool(services),
  resumePool: resumePool(services),
  reloadPool: reloadPool(services),
  loadPool: loadPool(services),
  unloadPool: unloadPool(services),
})
