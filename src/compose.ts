import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Express } from 'express'
import type { Document } from 'openapi-backend'
import { openStorage, StorageRefusedError, type Storage } from './adapters/embedded/storage.ts'
import { createLlamaCppEngine } from './adapters/engines/llamacpp/engine.ts'
import { MockEngine } from './adapters/engines/mock/engine.ts'
import { createPrometheusMetrics } from './adapters/prometheus/metrics.ts'
import { systemClock } from './adapters/system/clock.ts'
import { createLog } from './adapters/system/log.ts'
import { modelPath } from './adapters/system/model-path.ts'
import { ConfigError, type Config } from './config.ts'
import { createHandlers, type Services } from './handlers/index.ts'
import { createApp } from './http/app.ts'
import type { Clock } from './ports/clock.ts'
import type { Engine } from './ports/engine.ts'
import type { Log } from './ports/telemetry.ts'
import { Admission } from './services/admission.ts'
import { Artifacts } from './services/artifacts.ts'
import { Cancellation } from './services/cancellation.ts'
import { Dispatcher } from './services/dispatcher.ts'
import { LiveTasks } from './services/live-tasks.ts'
import { Pool, Pools, type PoolConfig } from './services/pools.ts'
import { recover } from './services/recovery.ts'
import { Sessions } from './services/sessions.ts'
import { Settlement } from './services/settlement.ts'
import { quiesce } from './services/shutdown.ts'
import { Streams } from './services/streams.ts'
import { Tasks } from './services/tasks.ts'

export { StorageRefusedError }

/** How often what is past its retention is forgotten, ms. */
const purge_ms = 60_000

/** Parts a test may bring itself. */
export interface Overrides {
  readonly clock?: Clock
  readonly log?: Log
  /** Replaces single handlers' services. */
  readonly services?: (services: Services) => Services
  /** Undeclared error statuses are thrown instead of answered. */
  readonly strict?: boolean
}

/** The daemon without its socket. */
export interface Daemon {
  readonly app: Express
  readonly log: Log
  readonly live: LiveTasks
  readonly pools: Pools
  /** Starts the engines; resolves when each replica is ready or has failed once. */
  start(): Promise<void>
  /** No task is admitted from now on; resolves when nothing runs any more. */
  quiesce(): Promise<void>
  /** Stops the engines and closes the storage. */
  close(): Promise<void>
}

type ReplicaConfig = PoolConfig['replicas'][number]

/** Makes the engine of one replica as its pool's driver says. */
function engineFor(pool: PoolConfig, replica: ReplicaConfig, config: Config, clock: Clock, log: Log): Engine {
  const { ctx } = pool
  const { slots } = replica
  if (pool.driver === 'in-process') return new MockEngine({ ctx, slots, ...pool.mock, clock })
  let model_path: string
  try {
    model_path = modelPath(pool.model, config.models_dir)
  } catch (cause) {
    throw new ConfigError(`pools.${pool.id}.model: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const onOutput = (output: string): void => {
    log.info({ pool_id: pool.id, replica_id: replica.id, output }, 'engine output')
  }
  return createLlamaCppEngine({ model_path, ctx, slots, ...pool.llamacpp, onOutput })
}

/** Builds the daemon from its configuration: the only place that names concrete adapters. */
export async function compose(config: Config, overrides: Overrides = {}): Promise<Daemon> {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLog(config.log_level)
  const metrics = createPrometheusMetrics(overrides.log === undefined)
  const pools = new Pools(config.pools.map((pool) => new Pool(pool, (replica) => engineFor(pool, replica, config, clock, log), clock, metrics, log)))
  const storage: Storage = await openStorage({ data_dir: config.data_dir })
  const { journal, eventLog, artifacts: artifactStore } = storage
  const live = new LiveTasks()
  const sessions = new Sessions(config.sessions, clock, journal)
  const settlement = new Settlement(live, pools, journal, clock, metrics, log)
  const dispatcher = new Dispatcher(pools, settlement, journal, clock, metrics, log)
  const drawSeed = (): number => randomInt(2 ** 32)
  const admission = new Admission({ pools, live, sessions, dispatcher, settlement, journal, clock, metrics, log, drawSeed })
  const streams = new Streams(live, pools, journal, eventLog, clock)
  const made: Services = {
    admission,
    streams,
    sessions,
    pools,
    tasks: new Tasks(live, pools, journal),
    cancellation: new Cancellation(live, pools, settlement, journal),
    artifacts: new Artifacts(artifactStore, journal, clock),
  }
  const services = overrides.services?.(made) ?? made
  let open = false
  const app = await createApp({
    definition: JSON.parse(readFileSync(new URL('../generated/openapi.json', import.meta.url), 'utf8')) as Document,
    handlers: createHandlers(services),
    clock,
    body_bytes: config.limits.body_bytes,
    auth: config.auth,
    origins: config.cors.origins,
    strict: overrides.strict ?? false,
    report: (err, correlation_id, what) => {
      log.error({ err, correlation_id, human: `A request failed: ${what}.` }, 'error')
    },
    isReady: () => open && pools.all().some(({ ready }) => ready),
    metrics,
  })
  const stops = [dispatcher.start(), streams.start(), await sessions.start(storage.sessions)]
  stops.push(
    clock.every(purge_ms, () => {
      const now = Math.floor(clock.now())
      journal.purge(now - config.retention.tasks_ms, now - config.retention.artifacts_ms).catch((err: unknown) => {
        log.error({ err, human: 'What is past its retention could not be removed.' }, 'storage')
      })
    }),
  )
  await recover(journal, admission, pools, clock, log)
  return {
    app,
    log,
    live,
    pools,
    start: async () => {
      await pools.start()
      open = true
    },
    quiesce: async () => {
      open = false
      admission.close()
      for (const stop of stops) stop()
      await quiesce(live, pools, settlement, clock, config.shutdown_grace_ms, log)
    },
    close: async () => {
      await pools.stop()
      await storage.close()
    },
  }
}
