import type { Tasks } from '../../services/tasks/tasks.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/tasks */
export const listTasks =
  ({ tasks }: { readonly tasks: Tasks }): Handler<'listTasks'> =>
  async ({ principal, query }) => ({ status: 200, body: await tasks.list(principal, query) })
