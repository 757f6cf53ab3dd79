import type { Loads } from '../../services/operations/loads.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/unload */
export const unloadPool =
  ({ loads }: { readonly loads: Loads }): Handler<'unloadPool'> =>
  ({ params: { id }, query }) =>
    query.dry_run === true ? { status: 200, body: loads.foreseeUnload(id) } : { status: 202, body: poolSummary(loads.unload(id)) }
