import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/sessions/{id} */
export const getSession =
  ({ sessions }: { readonly sessions: Sessions }): Handler<'getSession'> =>
  ({ principal, params }) => ({ status: 200, body: sessions.info(principal, params.id) })
