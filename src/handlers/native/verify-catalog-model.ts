import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/catalog/models/{id}/verify */
export const verifyCatalogModel =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'verifyCatalogModel'> =>
  async ({ params }) => ({ status: 202, body: await catalog.verify(params.id) })
