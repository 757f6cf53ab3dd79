import type { CatalogRecord } from '../domain/catalog/catalog.ts'

/** Reads what `model_put` and `model_deleted` facts left. */
export interface CatalogStore {
  /** Every model, in no particular order. */
  all(): Promise<CatalogRecord[]>
}
