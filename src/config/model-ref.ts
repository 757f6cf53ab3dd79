import { catalogIdOf } from '../domain/catalog/catalog.ts'
import { valueText } from './problem.ts'

/** What a driver is to the configuration: the beginnings of the model references it takes, and whether it is a server or starts one. */
interface Driver {
  readonly schemes: readonly string[]
  readonly remote?: true
  readonly managed?: true
}

/** The drivers by engine and name. */
export type EngineTable = Readonly<Record<string, { readonly drivers: Readonly<Record<string, Driver>> }>>

interface Pool {
  readonly engine: string
  readonly driver: string
  readonly model: string
}

/** Why a pool cannot serve a model of this reference, if so. */
export function modelRefRefusal(engines: EngineTable, { engine, driver, model }: Pool): string | undefined {
  const schemes = engines[engine]?.drivers[driver]?.schemes ?? []
  if (!schemes.some((scheme) => model.startsWith(scheme)))
    return `${valueText(model)} is nothing that ${engine} serves by driver ${driver}; a reference begins with ${schemes.join(' or ')}`
  if (model.startsWith('catalog:') && catalogIdOf(model) === undefined)
    return `${valueText(model)} names no model; after catalog: comes the id of a catalog model`
  return undefined
}
