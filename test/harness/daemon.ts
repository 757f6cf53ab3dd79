import { createHash } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Resolve } from '../../src/adapters/models/guarded-connect.ts'
import { createPrometheusMetrics } from '../../src/adapters/prometheus/metrics.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { assemble, type Daemon } from '../../src/compose/daemon.ts'
import { enginesOf, type EngineFactory } from '../../src/compose/engines.ts'
import { modelsOf } from '../../src/compose/models.ts'
import { storageOf } from '../../src/compose/storage.ts'
import type { Services } from '../../src/handlers/services.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { checkConfig } from '../../src/config/config.ts'
import { splitListen } from '../../src/config/listen.ts'
import { serverOf } from '../../src/http/server.ts'
import type { Log, LogFields } from '../../src/ports/telemetry.ts'
import { FakeClock } from './fake-clock.ts'
import { Leftovers } from './leftovers.ts'

/** What a configuration has of a key. */
export const keyDigest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Keys every test daemon knows, by what they may do. */
export const keys = { all: 'key-all', data: 'key-data', other: 'key-other', control: 'key-control' } as const

const auth = {
  keys: [
    { name: 'all', key_sha256: keyDigest(keys.all), roles: ['data', 'control'] },
    { name: 'data', key_sha256: keyDigest(keys.data), roles: ['data'] },
    { name: 'other', key_sha256: keyDigest(keys.other), roles: ['data'] },
    { name: 'control', key_sha256: keyDigest(keys.control), roles: ['control'] },
  ],
}

/** A mock pool of the configuration; `fields` replace the defaults. */
export const mockPool = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'mock',
  engine: 'mock',
  driver: 'in-process',
  model: 'mock:v1',
  ctx: 8192,
  replicas: [{ id: 'r0', slots: 4 }],
  mock: { prefill_ms: 0, token_ms: 0, tokens: 8 },
  ...fields,
})

/** Limits of an engine on the real clock that only one which hangs would reach, however slow the machine is. */
export const patient = { wall_ms: 600_000, idle_ms: 600_000, abort_ms: 120_000, start_ms: 600_000, tokenize_ms: 60_000 }

/** The demonstration model's pool. */
export const talesPool = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'tales',
  engine: 'llamacpp',
  driver: 'embedded',
  model: 'file:models/tinytales.gguf',
  ctx: 256,
  replicas: [{ id: 'r0', slots: 2 }],
  llamacpp: { threads: 1 },
  timeouts: patient,
  ...fields,
})

const nothing = (): void => undefined

/** A log that keeps nothing. */
export const silentLog: Log = { info: nothing, warn: nothing, error: nothing }

let made = 0

/** A valid task for the mock pool with fresh ids; `fields` replace the defaults, undefined ones are left out. */
export function mockTask(fields: Record<string, unknown> = {}): Record<string, unknown> & { task_id: string } {
  const n = ++made
  const task = {
    task_id: `task-${n}`,
    session_id: `session-${n}`,
    workload: 'completion',
    model_ref: 'mock:v1',
    engine: 'mock',
    ctx: 8192,
    priority: 'interactive',
    seed: n,
    prompt: 'Once upon a time',
    max_tokens: 64,
    deadline_ms: 600_000,
    ...fields,
  }
  const entries: [string, unknown][] = Object.entries(task)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as typeof task
}

export interface LogLine {
  readonly level: keyof Log
  readonly fields: LogFields
  readonly message: string
}

/** Parts of the daemon that a test brings itself. */
export interface Overrides {
  readonly clock?: Clock
  readonly log?: Log
  /** Makes the engines, in place of those that the pools name. */
  readonly engines?: EngineFactory
  /** Keys of engines' servers by the variables that hold them. */
  readonly engineKeys?: ReadonlyMap<string, string>
  /** The addresses of hosts that models are fetched from. */
  readonly resolveHost?: Resolve
  /** Replaces services of the handlers. */
  readonly services?: (services: Services) => Services
}

/** The real daemon on a loopback port of its own. */
export interface TestDaemon extends Omit<Daemon, 'core'>, Pick<Daemon['core'], 'live' | 'pools' | 'catalog' | 'restart'> {
  readonly url: string
  readonly server: Server
  readonly lines: LogLine[]
  /** Stops everything. Rejects where a timer, a call of an engine, a commit or a reader is left. */
  stop(): Promise<void>
}

/** Starts the real app, in memory unless `given` says otherwise, with a mock pool unless `given` has pools. */
export async function startDaemon(given: Record<string, unknown> = {}, overrides: Overrides = {}): Promise<TestDaemon> {
  const lines: LogLine[] = []
  const record =
    (level: keyof Log) =>
    (fields: LogFields, message: string): void =>
      void lines.push({ level, fields, message })
  const log: Log = { info: record('info'), warn: record('warn'), error: record('error') }
  const config = checkConfig({ listen: '127.0.0.1:0', data_dir: ':memory:', shutdown_grace_ms: 0, auth, pools: [mockPool()], ...given })
  const { log: kept = log, engineKeys, resolveHost, services } = overrides
  const leftovers = new Leftovers()
  const clock = leftovers.clock(overrides.clock ?? systemClock)
  const engines =
    overrides.engines ?? (await enginesOf({ config, clock, log: kept, ...(engineKeys === undefined ? {} : { keys: engineKeys }) }))
  const storage = leftovers.storage(await storageOf(config))
  const parts = { config, storage, engines: leftovers.engines(engines), models: modelsOf(config, clock, resolveHost), clock, log: kept }
  const wrap = services === undefined ? {} : { wrap: services }
  const daemon = await assemble({ ...parts, metrics: createPrometheusMetrics(false), strict: true, jitter: () => 1, ...wrap })
  // The disk is real: a task whose start is being written has to be on its engine before time goes on.
  if (overrides.clock instanceof FakeClock) overrides.clock.busy = () => leftovers.writes
  leftovers.follow(daemon.core.streams)
  await daemon.start()
  const server = serverOf(daemon.app)
  // On a busy machine an idle connection would be closed under a client that is about to use it again.
  server.keepAliveTimeout = 0
  const listens = splitListen(config.listen)
  await new Promise<void>((resolve) => server.listen(listens.port, listens.host, resolve))
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    const quiet = daemon.quiesce()
    // On a clock that stands still not even a grace of nothing passes.
    if (overrides.clock instanceof FakeClock) await overrides.clock.advance(0)
    await quiet
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await daemon.close()
    await leftovers.none()
  }
  const { live, pools, catalog } = daemon.core
  return { ...daemon, live, pools, catalog, restart: () => daemon.core.restart(), server, url: `http://127.0.0.1:${port}`, lines, stop }
}
