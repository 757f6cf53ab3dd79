import type { Drain } from '../../services/operations/drain.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/resume */
export const resumePool =
  ({ drain }: { readonly drain: Drain }): Handler<'resumePool'> =>
  async ({ params }) => ({ status: 202, body: (await drain.revoke(params.id)).summary() })
