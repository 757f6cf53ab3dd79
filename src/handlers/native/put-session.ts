import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'

/** PUT /v1/sessions/{id} */
export const putSession =
  ({ sessions }: { readonly sessions: Sessions }): Handler<'putSession'> =>
  async ({ principal, params, body }) => ({ status: 200, body: await sessions.put(principal, params.id, body.ttl_ms, body.budgets) })
