import type { Configuration } from '../../services/operations/configuration.ts'
import type { Pools } from '../../services/pools/pools.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/config */
export const getConfig =
  ({ configuration, pools }: { readonly configuration: Configuration; readonly pools: Pick<Pools, 'all'> }): Handler<'getConfig'> =>
  () => ({ status: 200, body: configuration.view(pools.all().map(({ config }) => config)) })
