import type { Drain } from '../../services/operations/drain.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/resume */
export const resumePool =
  ({ drain }: { readonly drain: Drain }): Handler<'resumePool'> =>
  async ({ params }) => ({ status: 202, body: poolSummary(await drain.revoke(params.id)) })
