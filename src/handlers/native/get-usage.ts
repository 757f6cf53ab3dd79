import type { UsageBook } from '../../services/usage.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/usage */
export const getUsage =
  ({ usage }: { readonly usage: UsageBook }): Handler<'getUsage'> =>
  async ({ principal, query }) => ({ status: 200, body: await usage.list(principal, query) })
