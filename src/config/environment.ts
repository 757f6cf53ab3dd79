import { createHash } from 'node:crypto'
import { namedEngine, type NamedEngine } from './named-engine.ts'
import { hint } from '../domain/nearest.ts'
import { isSendable } from '../domain/principal.ts'
import type { Path } from './problem.ts'

/** A value that a variable of the environment gives, and where it belongs. */
export interface Setting {
  readonly variable: string
  readonly path: Path
  readonly value: unknown
}

interface Variable {
  readonly path: Path
  /** @throws Error saying what is wrong, without the value */
  readonly read?: (text: string) => unknown
  /** It names servers that have to be asked first. @see enginesIn */
  readonly asked?: true
}

const variables: Readonly<Record<string, Variable>> = {
  ORCHD_ADDR: { path: ['listen'] },
  ORCHD_DATA_DIR: { path: ['data_dir'] },
  ORCHD_LOG_LEVEL: { path: ['log_level'] },
  ORCHD_HF_TOKEN: { path: ['catalog', 'hf_token'] },
  ORCHD_ENGINES: { path: ['pools'], asked: true },
  ORCHD_API_KEYS: { path: ['auth', 'keys'], read: (keys) => keys.split(',').map(keyOf) },
}

/**
 * What Kubernetes tells every container of a Service whose name begins with `orchd`: nothing that anybody has set for the daemon.
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const isOfService = (variable: string, value: string): boolean =>
  /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/.test(variable) ||
  (variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))

/** Those that tell the command line where a daemon is, and which key it sends: whoever has them set may start a daemon, too. */
const ofCommands = ['ORCHD_URL', 'ORCHD_KEY']

/** The names of the variables and what each sets. */
export const variableNames = Object.entries(variables).map(([name, { path }]) => [name, path.join('.')] as const)

/** Every variable that begins with `ORCHD_`; `problems` are those that cannot be read, a line each. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): {
  readonly settings: readonly Setting[]
  readonly problems: readonly string[]
} {
  const settings: Setting[] = []
  const problems: string[] = []
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('ORCHD_') || ofCommands.includes(variable) || text === undefined) continue
    const known = variables[variable]
    if (known === undefined) {
      if (isOfService(variable, text)) continue
      problems.push(`${variable}: is not known; ${hint(variable, Object.keys(variables))}`)
      continue
    }
    if (known.asked === true) continue
    try {
      settings.push({ variable, path: known.path, value: known.read === undefined ? text : known.read(text) })
    } catch (error) {
      problems.push(`${variable}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { settings, problems }
}

/** The servers that `ORCHD_ENGINES` names, divided by commas. @throws ConfigError where one is no URL */
export function enginesIn(env: Readonly<Record<string, string | undefined>>): NamedEngine[] {
  const { ORCHD_ENGINES = '' } = env
  return ORCHD_ENGINES.split(',').flatMap((text) => (text.trim() === '' ? [] : [namedEngine('ORCHD_ENGINES', text)]))
}

/** `name:key`; a key from the environment may do everything. A key with a comma falls apart here: nothing of it may be taken for a name. */
function keyOf(pair: string, index: number): Record<string, unknown> {
  const [, name, key = ''] = /^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,63}):(.+)$/.exec(pair) ?? []
  if (name === undefined || key.trim() === '') throw new Error(`entry ${index + 1} is not of the form name:key`)
  if (!isSendable(key.trim()))
    throw new Error(`entry ${index + 1} has a key that no header can carry; use 1 to 4096 visible ASCII characters without spaces`)
  return { name, key_sha256: createHash('sha256').update(key.trim()).digest('hex'), roles: ['data', 'control'] }
}

/** The configuration with the settings in place of what it says itself. */
export function withSettings(config: Readonly<Record<string, unknown>>, settings: readonly Setting[]): Record<string, unknown> {
  const merged = { ...config }
  for (const { path, value } of settings) place(merged, path, value)
  return merged
}

/** Changes the first mapping and copies those in it. What stands in the way because it is no mapping stays, for the check to refuse. */
function place(into: Record<string, unknown>, [key = '', ...rest]: Path, value: unknown): void {
  if (rest.length === 0) {
    into[key] = value
    return
  }
  const inner = into[key] ?? {}
  if (typeof inner !== 'object' || Array.isArray(inner)) return
  const copy: Record<string, unknown> = { ...inner }
  into[key] = copy
  place(copy, rest, value)
}
