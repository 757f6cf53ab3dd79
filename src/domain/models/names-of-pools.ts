import { ModelNames } from './model-names.ts'
import { namesOf, type NamedModel } from './named-model.ts'

/** A pool as names are made of it. */
export interface NamingPool {
  readonly id: string
  /** Its model reference. */
  readonly model: string
  /** What its server calls the model, where it tells. */
  readonly told?: string | undefined
}

/**
 * The names that pools answer to where the configuration gives none: the model, the pool's id, and what its server calls the model. Pools
 * that serve whatever their servers have (`served:`) are pools of one model where the servers call it the same.
 */
export function namesOfPools(pools: readonly NamingPool[]): ModelNames {
  const taken = new Set(pools.flatMap(({ id, model }) => [id, model]))
  const toldBy = ({ told }: NamingPool): string | undefined => (told === undefined || taken.has(told) ? undefined : told)
  const telling = groupedBy(pools, toldBy)
  const serving = groupedBy(pools, ({ model }) => model)
  const commonly = ({ model }: NamingPool): string | undefined => {
    const [told, ...others] = new Set(serving.get(model)?.map(toldBy))
    return model.startsWith('served:') && others.length === 0 ? told : undefined
  }
  const groups = groupedBy(pools, (pool) => commonly(pool) ?? pool.model)
  const listed = [...groups.values()].map((group) => {
    const models = modelsOf(group)
    // What only some of them are called, or others as well, does not mean these.
    const told = [...new Set(group.map(toldBy))].filter((name) => name !== undefined).filter((name) => sameItems(telling.get(name), group))
    const [name = '', ...aliases] = [
      ...(models.length === 1 ? models : []),
      ...told,
      ...(group.length === 1 ? group.map(({ id }) => id) : []),
    ]
    return named(name, group, aliases)
  })
  const known = new Set(listed.flatMap(namesOf))
  const unlisted = [
    ...pools.map((pool) => named(pool.id, [pool], [pool.model])),
    ...[...serving].map(([model, group]) => named(model, group)),
    ...[...telling].map(([told, group]) => named(told, group, modelsOf(group))),
  ]
  return new ModelNames(
    listed,
    unlisted.filter(({ name }) => !known.has(name)),
  )
}

/** What a server calls its model, as a name: where that is the path of a file, the file's name; undefined where it can be no name. */
export function nameTold(told: string): string | undefined {
  const name = /^([/~.]|[A-Za-z]:\\)|\.gguf$/i.test(told) ? told.replace(/^.*[/\\]/, '') : told
  return /^[^\s*]{1,256}$/.test(name) ? name : undefined
}

const modelsOf = (pools: readonly NamingPool[]): string[] => [...new Set(pools.map(({ model }) => model))]

const sameItems = (some: readonly unknown[] | undefined, others: readonly unknown[]): boolean =>
  some?.length === others.length && some.every((one, i) => one === others[i])

const named = (name: string, pools: readonly NamingPool[], aliases: readonly string[] = []): NamedModel => ({
  name,
  aliases,
  pools: pools.map(({ id }) => id),
  fallback: [],
  defaults: {},
})

/** What has no key is left out. */
function groupedBy(pools: readonly NamingPool[], keyOf: (pool: NamingPool) => string | undefined): Map<string, NamingPool[]> {
  const groups = new Map<string, NamingPool[]>()
  for (const pool of pools) {
    const key = keyOf(pool)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [pool])
    else group.push(pool)
  }
  return groups
}
