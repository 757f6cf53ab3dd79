import type { Tasks } from '../../services/tasks/tasks.ts'
import type { Handler } from '../handler.ts'
import { pageOf } from '../pages.ts'

/** GET /v1/pools/{id}/queue */
export const listQueue =
  ({ tasks }: { readonly tasks: Pick<Tasks, 'queue'> }): Handler<'listQueue'> =>
  async ({ principal, params: { id }, query }) => ({
    status: 200,
    body: await pageOf(`queue of ${id}`, principal, query, (of) => tasks.queue(principal, id, of)),
  })
