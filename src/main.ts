import type { Server } from 'node:http'
import { flushCompileCache } from 'node:module'
import { constants } from 'node:os'
import type { ProcessDaemon } from './compose/daemon.ts'
import { librariesInstalled, modelFilesExist } from './compose/engines.ts'
import { storageOf, StorageRefusedError } from './compose/storage.ts'
import { readCommandLine } from './config/command-line.ts'
import { ConfigError, enginesIn, foundPools, loadConfig, splitListen, type Config } from './config/config.ts'

/** Exit status 1: something the person who starts the daemon has to mend. */
function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

/** One line on standard error, exit status 1. */
function refuse(message: string): never {
  return fail(`orchestratord: ${message}`)
}

/** Prints what was asked for; exit status 0. */
function finish(text: string): never {
  console.log(text)
  process.exit(0)
}

async function listen(server: Server, config: Config): Promise<string> {
  const { host, port } = splitListen(config.listen)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address !== null
    ? `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
    : config.listen
}

/** Longest time that the last lines of the log are waited for, ms. */
const flush_ms = 1000

/** How often a daemon that npm started looks whether its shell is still there, ms. */
const lookForShell_ms = 500

/**
 * Stops as a service manager expects: nothing new, running tasks get their grace, connections close, exit 0. Who signals again does not want to
 * wait: then it ends at once, and its journal is what a crash leaves. `npm start` runs the daemon in a
 * shell, which a SIGTERM ends and which passes it on to nobody: the daemon stops when its shell is gone.
 */
function stopOn(signals: readonly NodeJS.Signals[], daemon: ProcessDaemon, server: Server): void {
  let stopping = false
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return
    stopping = true
    daemon.log.info({ signal, event: 'stop' }, 'Stopping: running tasks get their grace.')
    // The door stays open meanwhile: a newcomer is told 503 and readers may come back to running tasks.
    await daemon.quiesce()
    server.close()
    server.closeAllConnections()
    await daemon.close()
    daemon.log.info({ event: 'stop' }, 'Stopped.')
    await daemon.log.flush(flush_ms)
    process.exit(0)
  }
  for (const signal of signals)
    process.on(signal, () => {
      if (stopping) process.exit(128 + constants.signals[signal])
      else void stop(signal)
    })
  if (process.env['npm_lifecycle_event'] !== 'start') return
  const shell = process.ppid
  setInterval(() => {
    if (process.ppid !== shell) void stop('SIGTERM')
  }, lookForShell_ms).unref()
}

let config: Config
let left_out: readonly string[]
let daemon: ProcessDaemon
let server: Server
try {
  const { does, file, engines } = readCommandLine(process.argv.slice(2))
  if (does === 'help') finish((await import('./config/help.ts')).helpText)
  if (does === 'version') finish((await import('./config/help.ts')).versionText())
  const named = engines.length > 0 ? engines : enginesIn(process.env)
  const found = named.length === 0 ? [] : [foundPools(await (await import('./compose/find-engines.ts')).findEngines(named))]
  const loaded = loadConfig(file, process.env, found, librariesInstalled, modelFilesExist)
  config = loaded.config
  left_out = loaded.left_out
  if (does === 'check') finish((await import('./config/summary.ts')).summary(loaded))
  // The storage's thread starts up while this one loads the rest of the daemon.
  const opening = storageOf(config)
  const [{ daemonOf }, { serverOf, watchSockets }] = await Promise.all([import('./compose/daemon.ts'), import('./http/server.ts'), opening])
  daemon = await daemonOf(config, process.env, opening)
  server = serverOf(daemon.app)
  watchSockets(server, config.limits.connections, daemon.clock)
  server.keepAliveTimeout = config.keep_alive_ms
} catch (error) {
  // One problem a line, each with its place: nothing is to stand before it.
  if (error instanceof ConfigError) fail(error.message)
  if (error instanceof StorageRefusedError) refuse(error.message)
  throw error
}

/** Says why and ends, whatever the log does. */
function give(up: Readonly<Record<string, unknown>>, message: string): void {
  setTimeout(() => process.exit(1), flush_ms)
  daemon.log.error({ ...up, event: 'error' }, message)
  void daemon.log.flush(flush_ms).then(() => process.exit(1))
}

process.on('uncaughtException', (err, origin) => give({ err, origin }, 'A bug: the daemon stops.'))
void daemon.lost.then((err) => give({ err }, 'The storage is lost: the daemon stops, and the next start takes up what is on disk.'))

const address = await listen(server, config).catch((error: unknown) =>
  refuse(`listen ${config.listen}: ${error instanceof Error ? error.message : String(error)}`),
)
stopOn(['SIGTERM', 'SIGINT'], daemon, server)
const pools = config.pools.map(({ id }) => id)
daemon.log.info(
  { address, pools, data_dir: config.data_dir, node: process.versions.node, event: 'start' },
  `orchestratord listens on ${address} with pools ${pools.join(', ')}.`,
)
for (const reason of left_out) daemon.log.warn({ event: 'config' }, `A pool of the default is left out: ${reason}.`)
if (config.auth.keys.length === 0)
  daemon.log.warn(
    { event: 'auth' },
    'No key is configured: the development key "valid" works, from this machine only. Configure auth.keys or ORCHD_API_KEYS=name:key.',
  )
await daemon.start()
// By itself Node writes down what it compiled when it ends, which a process that is killed does not.
flushCompileCache()
