import { actingFor } from '../../domain/principal.ts'
import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/sessions/{id} */
export const getSession =
  ({ sessions }: { readonly sessions: Sessions }): Handler<'getSession'> =>
  ({ principal, params, query }) => ({ status: 200, body: sessions.info(actingFor(principal, query.owner), params.id) })
