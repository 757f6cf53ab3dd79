import type { Pools } from '../../services/pools/pools.ts'
import { poolHealth } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/pools/{id}/health */
export const getPoolHealth =
  ({ pools }: { readonly pools: Pick<Pools, 'all' | 'get'> }): Handler<'getPoolHealth'> =>
  ({ params }) => ({ status: 200, body: poolHealth(pools.get(params.id)) })
