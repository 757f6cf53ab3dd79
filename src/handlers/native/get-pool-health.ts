import type { Pools } from '../../services/pools/pools.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/pools/{id}/health */
export const getPoolHealth =
  ({ pools }: { readonly pools: Pools }): Handler<'getPoolHealth'> =>
  ({ params }) => ({ status: 200, body: pools.get(params.id).health() })
