import type { Catalog } from '../../services/catalog/catalog.ts'
import { createCatalogModel } from './create-catalog-model.ts'
import { deleteCatalogModel } from './delete-catalog-model.ts'
import { getCatalogModel } from './get-catalog-model.ts'
import type { Handlers } from '../handler.ts'
import { listCatalogModels } from './list-catalog-models.ts'
import { setCatalogModelState } from './set-catalog-model-state.ts'
import { verifyCatalogModel } from './verify-catalog-model.ts'

type CatalogOperation = Extract<keyof Handlers, `${string}CatalogModel${string}`>

/** The part of the map that is about the catalog. */
export const catalogHandlers = (services: { readonly catalog: Catalog }): Pick<Handlers, CatalogOperation> => ({
  createCatalogModel: createCatalogModel(services),
  getCatalogModel: getCatalogModel(services),
  listCatalogModels: listCatalogModels(services),
  deleteCatalogModel: deleteCatalogModel(services),
  verifyCatalogModel: verifyCatalogModel(services),
  setCatalogModelState: setCatalogModelState(services),
})
