import type { Drain } from '../../services/operations/drain.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/drain */
export const drainPool =
  ({ drain }: { readonly drain: Drain }): Handler<'drainPool'> =>
  async ({ params: { id }, query, body: { deadline_ms } }) =>
    query.dry_run === true
      ? { status: 200, body: drain.foresee(id, deadline_ms) }
      : { status: 202, body: poolSummary(await drain.order(id, deadline_ms)) }
