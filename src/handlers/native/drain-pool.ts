import type { Drain } from '../../services/operations/drain.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/drain */
export const drainPool =
  ({ drain }: { readonly drain: Drain }): Handler<'drainPool'> =>
  async ({ params, body }) => ({ status: 202, body: poolSummary(await drain.order(params.id, body.deadline_ms)) })
