import type { Pools } from '../../services/pools/pools.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/pools */
export const listPools =
  ({ pools }: { readonly pools: Pick<Pools, 'all' | 'get'> }): Handler<'listPools'> =>
  () => ({ status: 200, body: { pools: pools.all().map((pool) => poolSummary(pool)) } })
