import { existsSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { findEngines } from '../../src/compose/find-engines.ts'
import { checkConfig, ConfigError, foundPools, type FoundEngine } from '../../src/config/config.ts'
import type { Common } from '../common/command.ts'
import { CommandError, usageError } from '../common/exit.ts'
import { say, sayJson } from '../common/output.ts'

/** Options of `init`. */
export interface Options extends Common {
  readonly config: string
  readonly listen: string
  readonly engine?: readonly string[]
}

/** Where llama-server, vLLM, Ollama, SGLang and TGI listen unless told otherwise. */
const usual = [8080, 8081, 8000, 11434, 30_000, 3000].map((port) => `http://127.0.0.1:${port}`)

/** Writes the configuration of what is found. @throws CommandError where nothing is, or the file is there */
export async function write({ config: file, listen, engine = usual, json }: Options): Promise<void> {
  if (existsSync(file)) throw new CommandError(`${file} is there already: name another with --config, or move it away`)
  const answers = await Promise.all(engine.map(ask))
  const found = answers.flatMap((one) => (typeof one === 'string' ? [] : [one]))
  const servers = found.flatMap((one) =>
    one.models.length > 1 ? one.models.map((model) => ({ ...one, model })) : one.models.length === 1 ? [one] : [],
  )
  if (servers.length === 0)
    throw new CommandError(
      `no engine answers on ${engine.join(', ')}: start one, or say where with --engine URL; orchestratord without a configuration serves a mock`,
    )
  // llama-server's usual port is the daemon's, too.
  const taken = servers.map(({ url }) => new URL(url)).find((url) => isHere(url) && portOf(url) === Number(listen.split(':').at(-1)))
  if (taken !== undefined)
    throw usageError(
      `an engine listens at ${taken.origin}, on the port that the daemon is to have: name another, such as --listen 127.0.0.1:8090`,
    )
  const { value } = foundPools(servers)
  const settings = { listen, pools: value }
  try {
    checkConfig(settings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw usageError(error.message.replaceAll('\n', '; '))
  }
  // `wx` never writes over a file, not even one that came meanwhile.
  writeFileSync(file, stringify(settings), { flag: 'wx' })
  if (json === true) {
    sayJson({ file, found, config: settings })
    return
  }
  for (const { url, engine: kind, models } of found) say(`found ${kind} at ${url}: ${models.join(', ') || 'no model'}`)
  say(`wrote ${file}; start it with: orchestratord --config ${file}`)
}

const isHere = ({ hostname }: URL): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80))

/** What answers there; why nothing does. */
async function ask(url: string): Promise<FoundEngine | string> {
  try {
    const [found] = await findEngines([{ source: '--engine', url }])
    return found ?? url
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}
