import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { execFile } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { findEngines } from '../../src/compose/find-engines.ts'
import { librariesInstalled, modelFilesExist } from '../../src/compose/engines.ts'
import { ConfigError, keyVariableOf, loadConfig, splitListen, type Config } from '../../src/config/config.ts'

/** What one look at this machine has found. */
export interface Finding {
  readonly what: string
  readonly state: 'ok' | 'warning' | 'problem'
  readonly says: string
  /** What to do. */
  readonly fix?: string
}

/** Least room for the journal, bytes. */
const least_bytes = 1e9
/** No clock is right that shows an earlier time. */
const earliest = Date.parse('2025-01-01')

/** Looks at this machine, with the configuration from that file. */
export async function examine(file: string | undefined): Promise<Finding[]> {
  let config: Config
  try {
    ;({ config } = loadConfig(file, process.env, [], librariesInstalled, modelFilesExist))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lines = error.message.split('\n')
    return lines.map((says) => ({ what: 'configuration', state: 'problem', says, fix: 'change that line or variable, then look again' }))
  }
  const keys = config.auth.keys.length
  return [
    { what: 'configuration', state: 'ok', says: `${config.pools.length} pools: ${config.pools.map(({ id }) => id).join(', ')}` },
    keys > 0
      ? { what: 'keys', state: 'ok', says: `${keys} configured` }
      : { what: 'keys', state: 'warning', says: 'none: only this machine is let in', fix: 'orchestratord keys create NAME' },
    await port(config),
    ...data(config),
    ...(await Promise.all(config.pools.flatMap(enginesOf))),
    ...(await devices(config)),
    clock(),
  ]
}

async function port({ listen }: Config): Promise<Finding> {
  const { host, port } = splitListen(listen)
  const server = createServer()
  const error = await new Promise<NodeJS.ErrnoException | undefined>((done) => {
    server.once('error', done).listen(port, host, () => done(undefined))
  })
  server.close()
  if (error === undefined) return { what: 'port', state: 'ok', says: `${listen} is free` }
  const fix =
    error.code === 'EADDRINUSE'
      ? 'stop what listens there, perhaps a daemon that runs already, or set listen or ORCHD_ADDR'
      : 'set listen or ORCHD_ADDR to an address of this machine'
  return { what: 'port', state: error.code === 'EADDRINUSE' ? 'warning' : 'problem', says: `${listen}: ${error.message}`, fix }
}

function data({ data_dir }: Config): Finding[] {
  if (data_dir === ':memory:') return [{ what: 'data', state: 'warning', says: 'nothing is kept', fix: 'set data_dir to a directory' }]
  const dir = resolve(data_dir)
  // The daemon makes what is missing of it.
  let there = dir
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  try {
    if (!statSync(there).isDirectory()) throw new Error(`${there} is not a directory`)
    accessSync(there, constants.W_OK)
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    return [{ what: 'data', state: 'problem', says, fix: 'make the directory writable, or set data_dir or ORCHD_DATA_DIR' }]
  }
  const { bavail, bsize } = statfsSync(there)
  const bytes = bavail * bsize
  const room = `${(bytes / 1e9).toFixed(1)} GB free`
  return [
    { what: 'data', state: 'ok', says: `${dir} can be written` },
    bytes >= least_bytes
      ? { what: 'disk', state: 'ok', says: room }
      : {
          what: 'disk',
          state: 'warning',
          says: room,
          fix: 'make room, or shorten retention.tasks_ms and retention.artifacts_ms: a full disk refuses tasks',
        },
  ]
}

type Pool = Config['pools'][number]

/** A question to each server of a pool, or a look for the program of those that the daemon starts itself. */
function enginesOf(pool: Pool): Promise<Finding>[] {
  if ('command' in pool) return [Promise.resolve(programOf(pool.id, pool.command))]
  const ofPool = 'url' in pool ? pool.url : undefined
  return pool.replicas.flatMap((replica) => {
    const url = replica.url ?? ofPool
    return url === undefined ? [] : [serverAt(url, pool, process.env[keyVariableOf(pool, replica) ?? ''])]
  })
}

async function serverAt(url: string, { id, engine }: Pool, api_key: string | undefined): Promise<Finding> {
  try {
    const [found] = await findEngines([{ source: `pool ${id}`, url, api_key }])
    const models = found === undefined || found.models.length === 0 ? 'no model' : found.models.join(', ')
    const kind = found?.engine ?? 'unknown'
    const says = `${url} is ${kind} and serves ${models}`
    // All of them speak OpenAI's API, and what is only known to speak it may be any.
    if (kind === engine || kind === 'openai' || engine === 'openai') return { what: 'engine', state: 'ok', says }
    return {
      what: 'engine',
      state: 'problem',
      says: `${says}, and pool ${id} has engine: ${engine}`,
      fix: `set engine: ${kind} for pool ${id}`,
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return {
      what: 'engine',
      state: 'warning',
      says: error.message,
      fix: `start it, or change url or api_key_env of pool ${id}; accepted tasks wait for it`,
    }
  }
}

function programOf(id: string, [program = '']: readonly string[]): Finding {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(':')
  const path = folders.map((folder) => join(folder, program)).find(isProgram)
  if (path !== undefined) return { what: 'engine', state: 'ok', says: `pool ${id} starts ${path}` }
  const says = program.includes('/') ? `${program} is no program` : `there is no program ${program} on the PATH`
  return { what: 'engine', state: 'problem', says: `pool ${id}: ${says}`, fix: `install it, or change command of pool ${id}` }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

async function devices({ devices: { nvidia_smi }, pools }: Config): Promise<Finding[]> {
  const named = pools.some(({ replicas }) => replicas.some((replica) => replica.devices.length > 0))
  try {
    const { stdout } = await promisify(execFile)(nvidia_smi, ['--query-gpu=name,memory.free', '--format=csv,noheader'], { timeout: 10_000 })
    return stdout
      .trim()
      .split('\n')
      .map((says) => ({ what: 'gpu', state: 'ok', says: `${says} free` }))
  } catch {
    if (!named) return [{ what: 'gpu', state: 'ok', says: 'none found by nvidia-smi, and no replica names one' }]
    return [
      {
        what: 'gpu',
        state: 'warning',
        says: `${nvidia_smi} does not answer, and replicas name devices`,
        fix: 'install the driver, or set devices.nvidia_smi',
      },
    ]
  }
}

function clock(): Finding {
  const now = new Date()
  if (now.getTime() > earliest) return { what: 'clock', state: 'ok', says: now.toISOString() }
  return {
    what: 'clock',
    state: 'problem',
    says: `${now.toISOString()} is long ago`,
    fix: 'set the clock: deadlines and retention go by it',
  }
}
