import { actingFor } from '../../domain/principal.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'

/** DELETE /v1/sessions/{id} */
export const deleteSession =
  ({ sessions }: { readonly sessions: Sessions }): Handler<'deleteSession'> =>
  async ({ principal, params, query }) => {
    await sessions.delete(actingFor(principal, query.owner), params.id)
    return { status: 204 }
  }
