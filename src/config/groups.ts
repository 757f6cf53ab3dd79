import { hint } from '../domain/nearest.ts'
import { valueText, type Path, type Problem } from './problem.ts'
import type { Relation, Sound } from './relation.ts'

/** A relation: groups name pools there are, each once, and leave room for those that are not pinned. */
export const groupsOf: Relation = (config, sound) => {
  if (!sound('groups') || !sound('pools')) return []
  const known = config.pools.flatMap((pool, i) => (sound('pools', i, 'id') ? [pool.id] : []))
  const seated = new Map<string, string>()
  return config.groups.flatMap((group, g) => {
    const path = ['groups', g]
    if (!sound(...path)) return []
    const members = sound(...path, 'pools') ? group.pools.filter((_, i) => sound(...path, 'pools', i)) : []
    const problems = ids([...path, 'pools'], sound(...path, 'pools') ? group.pools : [], sound, (id) => {
      if (!known.includes(id)) return `there is no pool ${valueText(id)}; ${hint(id, known)}`
      const other = seated.get(id)
      seated.set(id, group.id)
      return other === undefined ? undefined : `${valueText(id)} is in group ${other} already`
    })
    for (const list of ['preload', 'pin'] as const) {
      const notMember = (id: string): string | undefined =>
        members.includes(id) ? undefined : `${valueText(id)} is no pool of the group; ${hint(id, members)}`
      problems.push(...ids([...path, list], sound(...path, list) ? group[list] : [], sound, notMember))
    }
    return problems.length > 0 ? problems : roomOf(group, path, sound)
  })
}

/** A problem for each sound id of the list that the rule refuses. */
function ids(list: Path, given: readonly string[], sound: Sound, refusal: (id: string) => string | undefined): Problem[] {
  return given.flatMap((id, i) => {
    const says = sound(...list, i) ? refusal(id) : undefined
    return says === undefined ? [] : [{ path: [...list, i], says }]
  })
}

interface Seats {
  readonly pools: readonly string[]
  readonly loaded: number
  readonly preload: readonly string[]
  readonly pin: readonly string[]
}

function roomOf({ pools, loaded, preload, pin }: Seats, path: Path, sound: Sound): Problem[] {
  if (!['pools', 'loaded', 'preload', 'pin'].every((key) => sound.whole(...path, key))) return []
  const kept = new Set([...pin, ...preload])
  const pinned = new Set(pin).size
  if (pinned > loaded) return [{ path: [...path, 'pin'], says: `${pinned} pools cannot be pinned where ${loaded} may be loaded` }]
  if (pinned === loaded && pinned < new Set(pools).size)
    return [{ path: [...path, 'pin'], says: `leaves no room for the other pools; pin fewer than loaded (${loaded})` }]
  if (kept.size > loaded)
    return [{ path: [...path, 'preload'], says: `${kept.size} pools cannot be preloaded or pinned where ${loaded} may be loaded` }]
  return []
}
