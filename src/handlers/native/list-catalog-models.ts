import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'
import { pageOf } from '../pages.ts'

/** GET /v1/catalog/models */
export const listCatalogModels =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'listCatalogModels'> =>
  async ({ principal, query }) => ({ status: 200, body: await pageOf('models', principal, query, (of) => catalog.list(of)) })
