import { DomainError } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import type { ModelAccess } from '../services/pools/model-access.ts'

/** What the lists of models are made of. */
export interface ModelParts {
  readonly access: Pick<ModelAccess, 'list' | 'knows'>
}

/** The names that a key may ask for: of each model its own, and its aliases that are no patterns. */
export const namesFor = ({ access }: ModelParts, principal: Principal): readonly string[] => [
  ...new Set(access.list(principal).flatMap(({ name, aliases }) => [name, ...aliases.filter((alias) => !alias.includes('*'))])),
]

/** A name may be one that no list shows, such as what fits a wildcard. @throws DomainError not_found where the key may ask for no model of this name */
export function checkName({ access }: ModelParts, principal: Principal, name: string): void {
  if (!access.knows(principal, name)) throw new DomainError('not_found', `There is no model ${name}; GET /v1/models lists what is served.`)
}
