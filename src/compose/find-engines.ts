import { EngineFault } from '../adapters/engines/http/faults.ts'
import { recognizeServer, type ServerKind } from '../adapters/engines/http/recognize.ts'
import { engines as builtIn } from '../adapters/engines/registry.ts'
import { systemClock } from '../adapters/system/clock.ts'
import { ConfigError, engineText, type FoundEngine, type NamedEngine } from '../config/config.ts'
import type { EngineRegistry } from '../ports/engine-definition.ts'

/**
 * Asks servers of which kind they are and what they serve, all at once.
 * @throws ConfigError naming every server that cannot be used, and why
 */
export async function findEngines(named: readonly NamedEngine[], registry: EngineRegistry = builtIn): Promise<readonly FoundEngine[]> {
  const kinds = await kindsOf(registry)
  const answers = await Promise.all(named.map((server) => found(server, kinds)))
  const problems = answers.filter((answer) => typeof answer === 'string')
  if (problems.length > 0) throw new ConfigError(problems)
  return answers.filter((answer) => typeof answer !== 'string')
}

async function found({ api_key, ...server }: NamedEngine, kinds: readonly ServerKind[]): Promise<FoundEngine | string> {
  try {
    return { ...server, ...(await recognizeServer(server.url, kinds, systemClock, api_key)) }
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error
    return `${engineText(server)}: ${error.message}`
  }
}

async function kindsOf(registry: EngineRegistry): Promise<ServerKind[]> {
  const loaded = await Promise.all(Object.entries(registry).map(async ([engine, load]) => [engine, (await load()).definition] as const))
  return loaded.flatMap(([engine, { drivers }]) =>
    Object.values(drivers).flatMap(({ recognize }) => (recognize === undefined ? [] : [{ engine, recognize }])),
  )
}
