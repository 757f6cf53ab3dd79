import type { components } from '../../generated/config.ts'
import { isSendable } from '../domain/principal.ts'
import type { EngineTable } from './model-ref.ts'
import { valueText, type Path, type Problem } from './problem.ts'
import type { Relation, Sound } from './relation.ts'

type Pool = components['schemas']['Config']['pools'][number]

/** The environment, or what a test takes for it. */
export type Environment = Readonly<Record<string, string | undefined>>

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A pool with a URL or a command needs no driver and no model: it serves what the server has. Of any other shape it stays as it is, for the check to refuse. */
function completedPool(pool: unknown): unknown {
  if (!isMapping(pool)) return pool
  const replicas: unknown = pool['replicas']
  const hasUrl =
    pool['url'] !== undefined || (Array.isArray(replicas) && replicas.some((replica) => isMapping(replica) && 'url' in replica))
  const driver = pool['command'] !== undefined ? 'managed' : hasUrl ? 'external' : undefined
  return driver === undefined ? pool : { driver, ...(typeof pool['id'] === 'string' ? { model: `served:${pool['id']}` } : {}), ...pool }
}

/** The configuration with what a pool's URL or command says of it, in place of what was left out. */
export function completed(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const pools: unknown = config['pools']
  return { ...config, ...(Array.isArray(pools) ? { pools: pools.map(completedPool) } : {}) }
}

/** A relation: replicas of a remote engine have a URL of their own, those of any other none; keys are for servers. */
export const urlsOf =
  (engines: EngineTable): Relation =>
  ({ pools }, sound) =>
    sound('pools') ? pools.flatMap((pool, i) => (isSound(i, sound) ? urlsOfPool(engines, pool, ['pools', i]) : [])) : []

const isSound = (i: number, sound: Sound): boolean => ['engine', 'driver', 'replicas', 'url'].every((key) => sound.whole('pools', i, key))

function urlsOfPool(engines: EngineTable, pool: Pool, path: Path): Problem[] {
  const { remote = false, managed = false } = engines[pool.engine]?.drivers[pool.driver] ?? {}
  const url = 'url' in pool ? pool.url : undefined
  const urls = pool.replicas.map((replica) => replica.url ?? url)
  return pool.replicas.flatMap((replica, i): Problem[] => {
    const at = [...path, 'replicas', i]
    const foreign = managed ? (['url'] as const) : (['url', 'api_key_env'] as const)
    const given = foreign.find((key) => replica[key] !== undefined)
    if (!remote) return given === undefined ? [] : [{ path: [...at, given], says: `driver ${pool.driver} of ${pool.engine} takes none` }]
    const own = urls[i]
    if (own === undefined) return [{ path: [...at, 'url'], says: 'is missing; the pool has none either' }]
    if (URL.parse(own) === null) return [{ path: [...at, 'url'], says: `${valueText(own)} is not a URL` }]
    return urls.indexOf(own) === i ? [] : [{ path: [...at, 'url'], says: `${valueText(own)} is used twice` }]
  })
}

/** The variable of the key that a replica's server wants. */
export const keyVariableOf = (pool: Pool, replica: Pool['replicas'][number]): string | undefined =>
  replica.api_key_env ?? ('api_key_env' in pool ? pool.api_key_env : undefined)

/** A relation: every variable that is to hold a key does. */
export const keysAreSet =
  (env: Environment): Relation =>
  ({ pools }, sound) => {
    if (!sound('pools')) return []
    return pools.flatMap((pool, i) => {
      const path = ['pools', i]
      if (!sound(...path) || !sound.whole(...path, 'replicas')) return []
      const ofPool = 'api_key_env' in pool ? [{ path: [...path, 'api_key_env'], variable: pool.api_key_env }] : []
      const ofReplicas = pool.replicas.map(({ api_key_env }, r) => ({
        path: [...path, 'replicas', r, 'api_key_env'],
        variable: api_key_env,
      }))
      return [...ofPool, ...ofReplicas].flatMap(({ path, variable }) => {
        if (variable === undefined || !sound(...path) || isSendable(env[variable] ?? '')) return []
        return [{ path, says: `the variable ${variable} ${env[variable] === undefined ? 'is not set' : 'holds no key that can be sent'}` }]
      })
    })
  }

/** The keys of engines' servers by their variables. */
export function serverKeys({ pools }: { readonly pools: readonly Pool[] }, env: Environment): ReadonlyMap<string, string> {
  const variables = pools.flatMap((pool) => pool.replicas.map((replica) => keyVariableOf(pool, replica)))
  return new Map(variables.flatMap((variable) => (variable === undefined ? [] : [[variable, env[variable] ?? ''] as const])))
}
