import type { ModelNames } from './model-names.ts'
import { namesOf, type NamedModel } from './named-model.ts'
import { fits } from './wildcard.ts'

/**
 * The models that a key may use which is limited to these: every one that a limit names, or one of whose names fits a wildcard of the limits.
 * A key may use a model by all of its names: they lead to the same pools.
 * @param limits names, aliases or wildcards
 */
export function modelsWithin(limits: readonly string[], names: ModelNames): ReadonlySet<NamedModel> {
  const meant = new Set(limits.map((limit) => names.find(limit)))
  const all = [...names.listed, ...names.unlisted]
  return new Set(all.filter((model) => meant.has(model) || namesOf(model).some((name) => limits.some((limit) => fits(limit, name)))))
}
