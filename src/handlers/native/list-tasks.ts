import type { Tasks } from '../../services/tasks/tasks.ts'
import type { Handler } from '../handler.ts'
import { pageOf } from '../pages.ts'

/** GET /v1/tasks */
export const listTasks =
  ({ tasks }: { readonly tasks: Tasks }): Handler<'listTasks'> =>
  async ({ principal, query }) => ({ status: 200, body: await pageOf('tasks', principal, query, (of) => tasks.list(principal, of)) })
