import type { components } from '../../generated/config.ts'
import { namesIn, placeholders } from '../domain/command-template.ts'
import { hint } from '../domain/nearest.ts'
import type { EngineTable } from './model-ref.ts'
import { valueText, type Path, type Problem } from './problem.ts'
import type { Relation } from './relation.ts'

type Pool = components['schemas']['Config']['pools'][number]
type ManagedPool = Extract<Pool, { readonly command: readonly string[] }>

/** A relation: the command of a managed pool names what there is, and all that its servers have to be told. */
export const commandsOf =
  (engines: EngineTable): Relation =>
  ({ pools }, sound) => {
    if (!sound('pools')) return []
    const taken = new Map<number, string>()
    return pools.flatMap((pool, i) => {
      const path = ['pools', i]
      const isKnown = ['engine', 'driver', 'model', 'replicas', 'command', 'ctx'].every((key) => sound.whole(...path, key))
      if (!isKnown) return []
      const managed = managedOf(engines, pool)
      return [...(managed === undefined ? [] : commandOf(managed, path)), ...portsOf(pool, managed, path, taken)]
    })
  }

/** Why the command of a pool cannot start a server with the pool's model; undefined where it can, or the pool has none. */
export function commandRefusal(engines: EngineTable, pool: Pool): string | undefined {
  const managed = managedOf(engines, pool)
  const [problem] = managed === undefined ? [] : commandOf(managed, [])
  return problem === undefined ? undefined : `the command of pool ${pool.id} ${problem.says}`
}

const managedOf = (engines: EngineTable, pool: Pool): ManagedPool | undefined =>
  engines[pool.engine]?.drivers[pool.driver]?.managed === true && 'command' in pool ? pool : undefined

function commandOf({ command, model, ctx, replicas }: ManagedPool, path: Path): Problem[] {
  const names = namesIn(command)
  const at = (says: string): Problem => ({ path: [...path, 'command'], says })
  const problems = names.flatMap((name) =>
    (placeholders as readonly string[]).includes(name) ? [] : [at(`names {${name}}, which is not known here; ${hint(name, placeholders)}`)],
  )
  const isFile = /^(file|catalog):/.test(model)
  const unported = replicas.find(({ port }) => port === undefined)
  const undevised = replicas.find(({ devices }) => devices.length === 0)
  const needs: readonly (readonly [boolean, string])[] = [
    [isFile && !names.includes('model_path'), `has no {model_path}, so that the server would not be told of ${valueText(model)}`],
    [!isFile && names.includes('model_path'), `has {model_path}, for which model has to begin with file: or catalog:`],
    [model.startsWith('served:') && names.includes('model'), 'has {model}, for which model has to name one'],
    [ctx === undefined && names.some((name) => name === 'ctx' || name === 'ctx_total'), 'has {ctx}, for which the pool needs ctx'],
    [undevised !== undefined && names.includes('devices'), `has {devices}, for which replica ${undevised?.id ?? ''} needs devices`],
    [unported !== undefined && !names.includes('port'), `has no {port}, and replica ${unported?.id ?? ''} has no port of its own`],
  ]
  return [...problems, ...needs.flatMap(([is, says]) => (is ? [at(says)] : []))]
}

/** Only the replicas of a managed pool have a port, and no two the same. */
function portsOf(pool: Pool, managed: ManagedPool | undefined, path: Path, taken: Map<number, string>): Problem[] {
  return pool.replicas.flatMap(({ port, id }, i): Problem[] => {
    const at = [...path, 'replicas', i, 'port']
    if (port === undefined) return []
    if (managed === undefined) return [{ path: at, says: `driver ${pool.driver} of ${pool.engine} takes none` }]
    const other = taken.get(port)
    taken.set(port, `${pool.id}/${id}`)
    return other === undefined ? [] : [{ path: at, says: `${port} is that of ${other}, too` }]
  })
}
