import { apiVersion } from '../../../generated/operations.ts'
import type { Pools } from '../../services/pools/pools.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/capabilities */
export const getCapabilities =
  ({ pools }: { readonly pools: Pools }): Handler<'getCapabilities'> =>
  () => ({ status: 200, body: { api_version: apiVersion, engines: pools.all().map((pool) => pool.capability()) } })
