import { ModelNames } from '../domain/models/model-names.ts'
import { namesOf } from '../domain/models/named-model.ts'
import { isWildcard } from '../domain/models/wildcard.ts'
import { hint } from '../domain/nearest.ts'
import { pathText, valueText, type Path, type Problem } from './problem.ts'
import type { Relation, Sound } from './relation.ts'

/** A value and where it stands. */
interface Placed {
  readonly value: string
  readonly path: Path
}

/** The sound values of a list. */
const itemsAt = (path: Path, list: readonly string[], sound: Sound): Placed[] =>
  sound(...path) ? list.flatMap((value, i) => (sound(...path, i) ? [{ value, path: [...path, i] }] : [])) : []

/** A problem for each value that stands at an earlier place, too. */
function twice(placed: readonly Placed[], says: (value: string, first: Path) => string): Problem[] {
  const first = new Map<string, Path>()
  return placed.flatMap(({ value, path }) => {
    const before = first.get(value)
    if (before === undefined) first.set(value, path)
    return before === undefined ? [] : [{ path, says: says(value, before) }]
  })
}

/** A relation: a name or an alias means one model. */
const namesOnce: Relation = ({ models }, sound) => {
  if (!sound('models')) return []
  const names = models.flatMap((model, i): Placed[] => {
    const path = ['models', i]
    const own = sound(...path, 'name') ? [{ value: model.name, path: [...path, 'name'] }] : []
    return sound(...path) ? [...own, ...itemsAt([...path, 'aliases'], model.aliases, sound)] : []
  })
  return twice(names, (name, first) => `${valueText(name)} is used twice; it is ${pathText(first)} as well`)
}

/** A relation: models are served by pools that there are, each in one place. */
const poolsOfModels: Relation = ({ models, pools }, sound) => {
  if (!sound('models')) return []
  const known = sound('pools') && pools.every((_, i) => sound('pools', i, 'id')) ? pools.map(({ id }) => id) : undefined
  return models.flatMap((model, i): Problem[] => {
    if (!sound('models', i)) return []
    const ids = (['pools', 'fallback'] as const).flatMap((key) => itemsAt(['models', i, key], model[key], sound))
    const unknown = ids.filter(({ value }) => known?.includes(value) === false)
    return [
      ...unknown.map(({ value, path }) => ({ path, says: `${valueText(value)} is no pool; ${hint(value, known ?? [])}` })),
      ...twice(ids, (id, first) => `${valueText(id)} is ${pathText(first)} as well; a pool of a model is in pools or in fallback, once`),
    ]
  })
}

/** A relation: keys are limited to models that there are. Without names of the configuration only the servers know all of them. */
const modelsOfKeys: Relation = ({ models, auth }, sound) => {
  if (!sound.whole('models') || models.length === 0 || !sound('auth', 'keys')) return []
  const names = new ModelNames(models)
  return auth.keys.flatMap((key, i) => {
    const path = ['auth', 'keys', i, 'limits', 'models']
    if (!sound(...path) || key.limits.models === undefined) return []
    const unknown = itemsAt(path, key.limits.models, sound).filter(({ value }) => !isWildcard(value) && names.find(value) === undefined)
    return unknown.map((one) => ({
      path: one.path,
      says: `${valueText(one.value)} is no model; ${hint(one.value, models.flatMap(namesOf))}`,
    }))
  })
}

/** Relations of the names of models. */
export const modelRelations: readonly Relation[] = [namesOnce, poolsOfModels, modelsOfKeys]
