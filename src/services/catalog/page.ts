import { modelView, type CatalogModel, type ModelState } from '../../domain/catalog/catalog.ts'
import { defaultPage } from '../../domain/page.ts'
import type { CatalogEntry } from './jobs.ts'

/** Which models to list. */
export interface ModelQuery {
  readonly state?: ModelState | undefined
  readonly tag?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Models, newest first; `next_cursor` where there are more. */
export interface ModelPage {
  models: CatalogModel[]
  next_cursor?: string
}

/** A model as the wire shows it. */
export const viewOf = ({ record, bytes_done }: CatalogEntry): CatalogModel => modelView(record, bytes_done)

/** One page of the models that fit. */
export function pageOf(entries: Iterable<CatalogEntry>, { state, tag, limit = defaultPage, cursor }: ModelQuery): ModelPage {
  const before = cursor === undefined ? Infinity : Number(cursor)
  const found = [...entries]
    .filter(({ record }) => record.seq < before)
    .filter(({ record }) => state === undefined || record.state === state)
    .filter(({ record }) => tag === undefined || record.request.tags?.includes(tag) === true)
    .sort((a, b) => b.record.seq - a.record.seq)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const more = found.length > limit && last !== undefined ? { next_cursor: String(last.record.seq) } : {}
  return { models: page.map(viewOf), ...more }
}
