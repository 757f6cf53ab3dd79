import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'

/** GET /v1/catalog/models */
export const listCatalogModels =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'listCatalogModels'> =>
  ({ query }) => ({ status: 200, body: catalog.list(query) })
