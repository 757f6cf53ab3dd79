import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/catalog/models/{id}/state */
export const setCatalogModelState =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'setCatalogModelState'> =>
  async ({ params, body }) => ({ status: 202, body: await catalog.setState(params.id, body.state, body.deadline_ms) })
