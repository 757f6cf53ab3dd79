import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { createHash } from 'node:crypto'
import type { components } from '../../generated/config.ts'
import { validateConfig } from '../../generated/config-validator.js'
import { catalogIdOf } from '../domain/catalog/catalog.ts'
import { isLoopbackAddress } from '../domain/loopback.ts'
import { ed25519Key } from '../domain/catalog/trust.ts'

export type Config = components['schemas']['Config']

/** The configuration cannot be used; the message says where and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const defaultFile = 'orchestratord.yaml'

/** Served where no pools are configured: the demonstration model and a mock. */
const defaultPools = [
  {
    id: 'tales',
    engine: 'llamacpp',
    driver: 'embedded',
    model: 'file:models/tinytales.gguf',
    ctx: 256,
    replicas: [{ id: 'r0', slots: 2 }],
  },
  {
    id: 'mock',
    engine: 'mock',
    driver: 'in-process',
    model: 'mock:v1',
    ctx: 8192,
    replicas: [{ id: 'r0', slots: 4 }],
    queue: { capacity: 256, full_policy: 'drop-lru' },
  },
]

/**
 * The only reader of the environment and the configuration file: `--config <file>` (default `orchestratord.yaml` if present), then `ORCHD_*`.
 * @throws ConfigError
 */
export function loadConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  return checkConfig(withEnvironment(readFile(fileFrom(argv)), env))
}

/**
 * Fills in defaults and checks a configuration as it stands in a file.
 * @throws ConfigError naming the path of what is wrong
 */
export function checkConfig(given: Record<string, unknown>): Config {
  const config: unknown = {
    pools: structuredClone(defaultPools),
    auth: {},
    cors: {},
    limits: {},
    sessions: {},
    retention: {},
    catalog: {},
    devices: {},
    ...given,
  }
  if (Array.isArray((config as Record<string, unknown>)['pools'])) for (const pool of (config as { pools: unknown[] }).pools) fillPool(pool)
  if (!validateConfig(config)) {
    const [problem] = validateConfig.errors ?? []
    const extra =
      problem?.keyword === 'additionalProperties'
        ? ` (${String((problem.params as { additionalProperty?: unknown }).additionalProperty)})`
        : ''
    const allowed =
      problem?.keyword === 'enum' ? `: ${(problem.params as { allowedValues: unknown[] }).allowedValues.map(String).join(', ')}` : ''
    const drivers = problem?.keyword === 'discriminator' ? '.driver must be one of in-process, embedded' : undefined
    throw new ConfigError(
      `${(problem?.instancePath ?? '').replaceAll('/', '.').replace(/^\./, '') || 'configuration'}${drivers ?? ` ${problem?.message ?? 'is not valid'}${extra}${allowed}`}`,
    )
  }
  checkRelations(config)
  return config
}

/** Whether the address to listen on can only be reached from this machine. */
export const listensOnLoopback = (listen: string): boolean => {
  const { host } = splitListen(listen)
  return host === 'localhost' || isLoopbackAddress(host)
}

/** Host and port of `listen`. */
export function splitListen(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':')
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) }
}

function fileFrom(argv: readonly string[]): string | undefined {
  const [option, file, ...rest] = argv
  if (option === undefined) return undefined
  const inline = option.startsWith('--config=') ? option.slice('--config='.length) : undefined
  if (inline !== undefined && file === undefined) return inline
  if (option !== '--config' || file === undefined || rest.length > 0) throw new ConfigError('usage: orchestratord [--config FILE]')
  return file
}

function readFile(file: string | undefined): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file ?? defaultFile, 'utf8')
  } catch (cause) {
    if (file === undefined && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {}
    throw new ConfigError(`${file ?? defaultFile} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  let value: unknown
  try {
    value = parse(text, { logLevel: 'error' })
  } catch (cause) {
    // After the first line comes an excerpt of the file.
    const [problem = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    throw new ConfigError(`${file ?? defaultFile}: ${problem.replace(/:$/, '')}`, { cause })
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ConfigError(`${file ?? defaultFile}: the file must be a mapping of keys to values`)
  return value as Record<string, unknown>
}

function withEnvironment(file: Record<string, unknown>, env: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const known: Readonly<Record<string, (value: string) => Record<string, unknown>>> = {
    ORCHD_ADDR: (listen) => ({ listen }),
    ORCHD_DATA_DIR: (data_dir) => ({ data_dir }),
    ORCHD_LOG_LEVEL: (log_level) => ({ log_level }),
    ORCHD_HF_TOKEN: (hf_token) => ({ catalog: { ...(typeof file['catalog'] === 'object' ? file['catalog'] : {}), hf_token } }),
    ORCHD_API_KEYS: (keys) => ({
      auth: { ...(typeof file['auth'] === 'object' ? file['auth'] : {}), keys: keys.split(',').map(keyFromEnvironment) },
    }),
  }
  let merged = file
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('ORCHD_') || value === undefined) continue
    const apply = known[name]
    if (apply === undefined) throw new ConfigError(`${name} is not known; known are ${Object.keys(known).join(', ')}`)
    merged = { ...merged, ...apply(value) }
  }
  return merged
}

/** `name:key`; a key from the environment may do everything. */
function keyFromEnvironment(pair: string, index: number): Record<string, unknown> {
  const colon = pair.indexOf(':')
  if (colon < 1 || colon === pair.length - 1) throw new ConfigError(`ORCHD_API_KEYS: entry ${index + 1} is not of the form name:key`)
  return {
    name: pair.slice(0, colon).trim(),
    key_sha256: createHash('sha256')
      .update(pair.slice(colon + 1).trim())
      .digest('hex'),
    roles: ['data', 'control'],
  }
}

function fillPool(pool: unknown): void {
  if (typeof pool !== 'object' || pool === null) return
  const fields = pool as Record<string, unknown>
  fields['replicas'] ??= [{ id: 'r0', slots: 1 }]
  fields['queue'] ??= {}
  fields['timeouts'] ??= {}
  if (fields['driver'] === 'in-process') fields['mock'] ??= {}
  if (fields['driver'] === 'embedded') fields['llamacpp'] ??= {}
}

/** Kinds of model reference each driver takes. */
const schemes = { embedded: ['file:', 'catalog:'], 'in-process': ['mock:'] } as const

function checkModelRef(driver: Config['pools'][number]['driver'], model: string, where: string): void {
  if (schemes[driver].every((scheme) => !model.startsWith(scheme)))
    throw new ConfigError(`${where}driver ${driver} takes a reference that begins with ${schemes[driver].join(' or ')}`)
  if (model.startsWith('catalog:') && catalogIdOf(model) === undefined)
    throw new ConfigError(`${where}after catalog: comes the id of a catalog model`)
}

/**
 * A pool whose model was changed while the daemon runs.
 * @throws ConfigError where its driver does not take the reference
 */
export function checkPool(pool: Config['pools'][number]): Config['pools'][number] {
  checkModelRef(pool.driver, pool.model, '')
  return pool
}

function checkCatalog({ signers, egress, hf_endpoint }: Config['catalog']): void {
  signers.forEach(({ name, public_key }, i) => {
    if (signers.findIndex((other) => other.name === name) !== i) throw new ConfigError(`catalog.signers.${i}.name: ${name} is used twice`)
    try {
      ed25519Key(public_key)
    } catch (cause) {
      throw new ConfigError(`catalog.signers.${i}.public_key: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  })
  const port = egress.hosts.findIndex((host) => Number(/:([0-9]+)$/.exec(host.replace(/^\[.*\]/, ''))?.[1] ?? 0) > 65535)
  if (port >= 0) throw new ConfigError(`catalog.egress.hosts.${port}: the port is above 65535`)
  if (URL.parse(hf_endpoint) === null) throw new ConfigError('catalog.hf_endpoint: is not a URL')
}

/** What a schema cannot say. */
function checkRelations(config: Config): void {
  const twice = (values: readonly string[]): number => values.findIndex((value, i) => values.indexOf(value) !== i)
  const pool = twice(config.pools.map(({ id }) => id))
  if (pool >= 0) throw new ConfigError(`pools.${pool}.id: ${config.pools[pool]?.id ?? ''} is used twice`)
  config.pools.forEach(({ replicas, model, driver, ctx, max_tokens_out }, i) => {
    const replica = twice(replicas.map(({ id }) => id))
    if (replica >= 0) throw new ConfigError(`pools.${i}.replicas.${replica}.id: ${replicas[replica]?.id ?? ''} is used twice`)
    checkModelRef(driver, model, `pools.${i}.model: `)
    if (max_tokens_out !== undefined && max_tokens_out >= ctx)
      throw new ConfigError(`pools.${i}.max_tokens_out: must be less than ctx (${ctx})`)
  })
  checkCatalog(config.catalog)
  const { keys, require_api_key } = config.auth
  const key = twice(keys.map(({ name }) => name))
  if (key >= 0) throw new ConfigError(`auth.keys.${key}.name: ${keys[key]?.name ?? ''} is used twice`)
  const same = twice(keys.map(({ key_sha256 }) => key_sha256))
  if (same >= 0) throw new ConfigError(`auth.keys.${same}.key_sha256: another name has the same key`)
  if (splitListen(config.listen).port > 65535) throw new ConfigError('listen: the port is above 65535')
  if (!require_api_key && !listensOnLoopback(config.listen))
    throw new ConfigError(`auth.require_api_key: false needs listen on a loopback address such as 127.0.0.1:8080, not ${config.listen}`)
}
