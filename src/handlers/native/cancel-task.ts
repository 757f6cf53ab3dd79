import { actingFor } from '../../domain/principal.ts'
import type { Cancellation } from '../../services/tasks/cancellation.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/tasks/{id}/cancel */
export const cancelTask =
  ({ cancellation }: { readonly cancellation: Cancellation }): Handler<'cancelTask'> =>
  async ({ principal, params, query }) => {
    await cancellation.cancel(actingFor(principal, query.owner), params.id)
    return { status: 204 }
  }
