import type { Reload } from '../../services/operations/reload.ts'
import { poolSummary } from '../../services/pools/pool-views.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/pools/{id}/reload */
export const reloadPool =
  ({ reload }: { readonly reload: Reload }): Handler<'reloadPool'> =>
  async ({ params, body }) => ({ status: 202, body: poolSummary(await reload.reload(params.id, body.model_ref, body.deadline_ms)) })
