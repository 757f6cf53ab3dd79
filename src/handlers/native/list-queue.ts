import type { Tasks } from '../../services/tasks/tasks.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/pools/{id}/queue */
export const listQueue =
  ({ tasks }: { readonly tasks: Pick<Tasks, 'queue'> }): Handler<'listQueue'> =>
  ({ principal, params, query }) => ({ status: 200, body: tasks.queue(principal, params.id, query) })
