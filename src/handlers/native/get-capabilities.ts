import { apiVersion } from '../../../generated/operations.ts'
import type { Pools } from '../../services/pools/pools.ts'
import { poolCapability } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/capabilities */
export const getCapabilities =
  ({ pools }: { readonly pools: Pick<Pools, 'all' | 'get'> }): Handler<'getCapabilities'> =>
  () => ({ status: 200, body: { api_version: apiVersion, engines: pools.all().map((pool) => poolCapability(pool)) } })
