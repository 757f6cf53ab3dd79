import type { components } from '../../../generated/config.ts'

/** A name that tasks ask for: the pools that serve it, and what a task of it has that does not say. */
export type NamedModel = components['schemas']['Model']
/** What a task of a model has that does not say. */
export type ModelDefaults = NamedModel['defaults']

/** The name and the aliases of a model. */
export const namesOf = ({ name, aliases }: NamedModel): readonly string[] => [name, ...aliases]

/** The ids of all pools that a task of this model may go to. */
export const poolsOf = ({ pools, fallback }: Pick<NamedModel, 'pools' | 'fallback'>): readonly string[] => [...pools, ...fallback]
