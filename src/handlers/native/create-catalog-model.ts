import type { Catalog } from '../../services/catalog/catalog.ts'
import type { Handler } from '../handler.ts'

/** POST /v1/catalog/models */
export const createCatalogModel =
  ({ catalog }: { readonly catalog: Catalog }): Handler<'createCatalogModel'> =>
  async ({ body }) => {
    const model = await catalog.create(body)
    return { status: 201, body: model, headers: { Location: `/v1/catalog/models/${model.id}` } }
  }
