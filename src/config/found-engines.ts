import type { Setting } from './environment.ts'
import { engineText, type NamedEngine } from './named-engine.ts'
import { ConfigError } from './problem.ts'

/** What was found there. */
export interface FoundEngine extends NamedEngine {
  readonly engine: string
  /** Names of the models that it serves. */
  readonly models: readonly string[]
}

/**
 * The pools of servers that were found, in place of those of a file: one for each model of a kind of engine, with a replica for each
 * server. It takes its id from the model's name.
 * @throws ConfigError naming every server whose model is not clear
 */
export function foundPools(found: readonly FoundEngine[]): Setting {
  const pools = new Map<string, { id: string; engine: string; model: string; replicas: { id: string; url: string }[] }>()
  const problems: string[] = []
  for (const server of found) {
    const model = server.model ?? (server.models.length === 1 ? server.models[0] : undefined)
    if (model === undefined || (server.models.length > 0 && !server.models.includes(model) && !server.models.includes(`${model}:latest`))) {
      problems.push(`${engineText(server)}: ${unclear(server)}`)
      continue
    }
    const model_ref = `${server.engine}:${model}`
    const pool = pools.get(model_ref) ?? { id: freeId(model, pools.values()), engine: server.engine, model: model_ref, replicas: [] }
    pools.set(model_ref, pool)
    if (pool.replicas.some(({ url }) => url === server.url)) problems.push(`${engineText(server)}: is given twice`)
    pool.replicas.push({ id: `r${pool.replicas.length}`, url: server.url })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return { variable: [...new Set(found.map(({ source }) => source))].join(', '), path: ['pools'], value: [...pools.values()] }
}

function unclear({ url, model, models }: FoundEngine): string {
  const example = models[0] ?? 'NAME'
  if (models.length === 0) return 'it serves no model'
  const there = `it serves ${models.join(', ')}`
  return model === undefined ? `${there}: say which, as ${url}#${example} does` : `${there}, not ${model}`
}

/** A pool's id from a model's name: the last step of a path, without `.gguf` or `:latest`, of the letters that an id may have. */
function freeId(model: string, pools: Iterable<{ readonly id: string }>): string {
  const name = (/[^/\\]+$/.exec(model)?.[0] ?? model)
    .toLowerCase()
    .replace(/(\.gguf|:latest)$/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
  const base = name === '' ? 'engine' : name.slice(0, 60)
  const taken = new Set(Array.from(pools, ({ id }) => id))
  let id = base
  for (let n = 2; taken.has(id); n++) id = `${base}-${n}`
  return id
}
