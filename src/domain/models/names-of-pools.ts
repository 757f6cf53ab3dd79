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
  const groups = groupedBy(pools, (pool) => (pool.model.startsWith('served:') ? (toldBy(pool) ?? pool.model) : pool.model))
  const listed = [...groups.values()].map((group) => {
    const models = modelsOf(group)
    // What pools of other models are called as well does not mean these alone.
    const told = [...new Set(group.flatMap((pool) => toldBy(pool) ?? []))].filter((name) => telling.get(name)?.length === group.length)
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
    ...[...groupedBy(pools, ({ model }) => model)].map(([model, group]) => named(model, group)),
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
