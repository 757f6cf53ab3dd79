import type { Sessions } from '../../services/sessions/sessions.ts'
import type { Handler } from '../handler.ts'

/** DELETE /v1/sessions/{id} */
export const deleteSession =
  ({ sessions }: { readonly sessions: Sessions }): Handler<'deleteSession'> =>
  async ({ principal, params }) => {
    await sessions.delete(principal, params.id)
    return { status: 204 }
  }
