import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/catalog/models/{id} */
export const getCatalogModel =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'getCatalogModel'> =>
  ({ params }) => ({ status: 200, body: catalog.get(params.id) })
