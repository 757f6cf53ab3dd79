import type { Pools } from '../../services/pools/pools.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/pools */
export const listPools =
  ({ pools }: { readonly pools: Pools }): Handler<'listPools'> =>
  () => ({ status: 200, body: { pools: pools.all().map((pool) => pool.summary()) } })
