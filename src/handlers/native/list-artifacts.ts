import type { Artifacts } from '../../services/artifacts.ts'
import type { Handler } from '../handler.ts'
import { pageOf } from '../pages.ts'

/** GET /v1/artifacts */
export const listArtifacts =
  ({ artifacts }: { readonly artifacts: Artifacts }): Handler<'listArtifacts'> =>
  async ({ principal, query }) => ({
    status: 200,
    body: await pageOf('artifacts', principal, query, (of) => artifacts.list(principal, of)),
  })
