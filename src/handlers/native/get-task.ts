import { actingFor } from '../../domain/principal.ts'
import type { Tasks } from '../../services/tasks/tasks.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/tasks/{id} */
export const getTask =
  ({ tasks }: { readonly tasks: Tasks }): Handler<'getTask'> =>
  async ({ principal, params, query }) => ({ status: 200, body: await tasks.get(actingFor(principal, query.owner), params.id) })
