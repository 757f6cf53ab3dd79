import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'

/** DELETE /v1/catalog/models/{id} */
export const deleteCatalogModel =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'deleteCatalogModel'> =>
  async ({ params }) => {
    await catalog.delete(params.id)
    return { status: 204 }
  }
