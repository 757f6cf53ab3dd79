import type { Loads } from '../../services/operations/loads.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/load */
export const loadPool =
  ({ loads }: { readonly loads: Loads }): Handler<'loadPool'> =>
  ({ params: { id }, query }) =>
    query.dry_run === true ? { status: 200, body: loads.foreseeLoad(id) } : { status: 202, body: poolSummary(loads.load(id)) }
