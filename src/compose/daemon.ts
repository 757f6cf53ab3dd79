import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Express } from 'express'
import type { Document } from 'openapi-backend'
import { openStorage, StorageRefusedError, type Storage } from '../adapters/embedded/storage.ts'
import { createLlamaCppEngine } from '../adapters/engines/llamacpp/engine.ts'
import { MockEngine } from '../adapters/engines/mock/engine.ts'
import { Downloads } from '../adapters/models/downloads.ts'
import { EgressClient } from '../adapters/models/egress-client.ts'
import type { Resolve } from '../adapters/models/guarded-connect.ts'
import { ModelFolder } from '../adapters/models/model-folder.ts'
import { createPrometheusMetrics } from '../adapters/prometheus/metrics.ts'
import { systemClock } from '../adapters/system/clock.ts'
import { createLog } from '../adapters/system/log.ts'
import { modelPath } from '../adapters/system/model-path.ts'
import { createNvidiaSmi } from '../adapters/system/nvidia-smi.ts'
import { checkPool, ConfigError, type Config } from '../config/config.ts'
import { catalogIdOf } from '../domain/catalog/catalog.ts'
import { EgressRules } from '../domain/catalog/egress.ts'
import { DomainError } from '../domain/errors.ts'
import { Trust } from '../domain/catalog/trust.ts'
import { createHandlers, type Services } from '../handlers/index.ts'
import { createApp } from '../http/app.ts'
import type { Clock } from '../ports/clock.ts'
import type { Engine } from '../ports/engine.ts'
import type { Log } from '../ports/telemetry.ts'
import { Admission } from '../services/tasks/admission.ts'
import { Artifacts } from '../services/artifacts.ts'
import { Cancellation } from '../services/tasks/cancellation.ts'
import { catalogHooks } from '../services/operations/catalog-follower.ts'
import { Catalog } from '../services/catalog/catalog.ts'
import { Devices } from '../services/pools/devices.ts'
import { Dispatcher } from '../services/tasks/dispatcher.ts'
import { Drain } from '../services/operations/drain.ts'
import { KeyLimits } from '../services/key-limits.ts'
import { LiveTasks } from '../services/tasks/live-tasks.ts'
import { PoolRecords } from '../services/pools/pool-records.ts'
import { Pool, type PoolConfig } from '../services/pools/pool.ts'
import { Pools } from '../services/pools/pools.ts'
import { recover } from '../services/operations/recovery.ts'
import { Reload } from '../services/operations/reload.ts'
import { Sessions } from '../services/sessions/sessions.ts'
import { Settlement } from '../services/tasks/settlement.ts'
import { quiesce } from '../services/operations/shutdown.ts'
import { Streams } from '../services/tasks/streams.ts'
import { Tasks } from '../services/tasks/tasks.ts'

export { StorageRefusedError }

/** How often what is past its retention is forgotten, ms. */
const purge_ms = 60_000

/** Parts a test may bring itself. */
export interface Overrides {
  readonly clock?: Clock
  readonly log?: Log
  /** The addresses of hosts that models are fetched from. */
  readonly resolveHost?: Resolve
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
  readonly catalog: Catalog
  /** Starts the engines; resolves when each replica is ready or has failed once. */
  start(): Promise<void>
  /** No task is admitted from now on; resolves when nothing runs any more. */
  quiesce(): Promise<void>
  /** Stops the engines and closes the storage. */
  close(): Promise<void>
}

type ReplicaConfig = PoolConfig['replicas'][number]

/** Makes the engine of one replica as its pool's driver says. */
function engineFor(
  pool: PoolConfig,
  replica: ReplicaConfig,
  config: Config,
  resolve: (model_id: string) => Promise<string>,
  clock: Clock,
  log: Log,
): Engine {
  const { ctx } = pool
  const { slots } = replica
  if (pool.driver === 'in-process') return new MockEngine({ ctx, slots, ...pool.mock, clock })
  const catalog_id = catalogIdOf(pool.model)
  let model_path: string | (() => Promise<string>)
  try {
    model_path = catalog_id === undefined ? modelPath(pool.model, config.models_dir) : () => resolve(catalog_id)
  } catch (cause) {
    throw new ConfigError(`pools.${pool.id}.model: ${cause instanceof Error ? cause.message : String(cause)} (${config.models_dir})`, {
      cause,
    })
  }
  const onOutput = (output: string): void => {
    log.info({ pool_id: pool.id, replica_id: replica.id, output }, 'engine output')
  }
  return createLlamaCppEngine({ model_path, ctx, slots, ...pool.llamacpp, onOutput })
}

/** The pool with the model that a reload put on it before the restart; as configured where there was none, or that one cannot be used any more. */
function reloadedAgain(pool: Pool, records: PoolRecords, poolOf: (pool: PoolConfig) => Pool, log: Log): Pool {
  const model = records.reloadedModel(pool.config)
  if (model === undefined) return pool
  try {
    return poolOf(checkPool({ ...pool.config, model }))
  } catch (err) {
    log.error(
      { pool_id: pool.id, model_ref: model, err, event: 'recovery' },
      `Pool ${pool.id} was reloaded with ${model}, which cannot be used any more; it serves ${pool.config.model} as configured.`,
    )
    return pool
  }
}

/** Speaks to hosts that models are fetched from; the hub's token goes to the hub and nowhere else. */
function egressClient({ egress, hf_endpoint, hf_token }: Config['catalog'], resolve: Resolve | undefined): EgressClient {
  const credentials = new Map(hf_token === undefined ? [] : [[new URL(hf_endpoint).origin, `Bearer ${hf_token}`]])
  return new EgressClient({ rules: new EgressRules(egress.hosts, hf_endpoint), credentials, ...(resolve === undefined ? {} : { resolve }) })
}

/** Builds the daemon from its configuration: the only place that names concrete adapters. */
export async function compose(config: Config, overrides: Overrides = {}): Promise<Daemon> {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLog(config.log_level)
  const metrics = createPrometheusMetrics(overrides.log === undefined)
  const poolOf = (pool: PoolConfig): Pool =>
    new Pool(pool, (replica) => engineFor(pool, replica, config, (id) => catalog.resolve(id), clock, log), clock, metrics, log)
  // Before the storage is touched: a pool that cannot be made is an error of the configuration.
  const configured = config.pools.map(poolOf)
  const storage: Storage = await openStorage({ data_dir: config.data_dir })
  const { journal, eventLog, artifacts: artifactStore } = storage
  const records = new PoolRecords(await storage.pools.all(), config.pools, journal)
  const pools = new Pools(
    configured.map((pool) => reloadedAgain(pool, records, poolOf, log)),
    metrics,
  )
  const live = new LiveTasks()
  const keyBudgets = new Map(
    config.auth.keys.flatMap(({ name, limits: { budgets } }) => (Object.keys(budgets).length === 0 ? [] : [[name, budgets]])),
  )
  const sessions = new Sessions(config.sessions, keyBudgets, clock, journal)
  const keyLimits = new KeyLimits(new Map(config.auth.keys.map(({ name, limits }) => [name, limits])), live)
  const settlement = new Settlement(live, journal, clock, metrics, log)
  const dispatcher = new Dispatcher(pools, settlement, journal, clock, metrics, log)
  const drawSeed = (): number => randomInt(2 ** 32)
  const admission = new Admission({
    pools,
    live,
    sessions,
    keyLimits,
    checkModel: (model_ref) => catalog.checkModel(model_ref),
    dispatcher,
    settlement,
    journal,
    clock,
    metrics,
    log,
    drawSeed,
  })
  const streams = new Streams(live, journal, eventLog, clock)
  const drain = new Drain(pools, settlement, records, clock, log)
  const files = new ModelFolder(config.models_dir)
  const source = new Downloads(egressClient(config.catalog, overrides.resolveHost), files, clock)
  const trust = new Trust(config.catalog.signers)
  const { hf_endpoint } = config.catalog
  const catalog = new Catalog({ files, source, trust, hf_endpoint, hooks: catalogHooks(pools, drain), journal, clock, metrics, log })
  const reloadedPool = (pool: PoolConfig): Pool => {
    try {
      return poolOf(checkPool(pool))
    } catch (error) {
      if (error instanceof ConfigError)
        throw new DomainError('invalid_params', `body.model_ref: ${(error.cause instanceof Error ? error.cause : error).message}`)
      throw error
    }
  }
  const reload = new Reload(pools, drain, records, reloadedPool, (model_ref) => catalog.checkServable(model_ref), clock, log)
  const made: Services = {
    admission,
    streams,
    sessions,
    pools,
    catalog,
    drain,
    reload,
    tasks: new Tasks(live, journal),
    cancellation: new Cancellation(live, settlement, journal),
    artifacts: new Artifacts(artifactStore, journal, clock),
  }
  const services = overrides.services?.(made) ?? made
  let open = false
  const app = await createApp({
    definition: JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8')) as Document,
    handlers: createHandlers(services),
    clock,
    body_bytes: config.limits.body_bytes,
    auth: config.auth,
    origins: config.cors.origins,
    strict: overrides.strict ?? false,
    report: (err, correlation_id, what) => {
      log.error({ err, correlation_id, event: 'error' }, `A request failed: ${what}.`)
    },
    isReady: () => open && pools.all().some(({ ready }) => ready),
    metrics,
  })
  const devices = new Devices(createNvidiaSmi(config.devices.nvidia_smi), pools, clock, metrics, log)
  const stops = [dispatcher.start(), streams.start(), await sessions.start(storage.sessions)]
  stops.push(
    clock.every(purge_ms, () => {
      const now = Math.floor(clock.now())
      journal.purge(now - config.retention.tasks_ms, now - config.retention.artifacts_ms).catch((err: unknown) => {
        log.error({ err, event: 'storage' }, 'What is past its retention could not be removed.')
      })
    }),
  )
  await catalog.start(storage.catalog)
  await recover({ journal, admission, settlement, pools, clock, log })
  drain.restore()
  return {
    app,
    log,
    live,
    pools,
    catalog,
    start: async () => {
      await pools.start()
      open = true
      stops.push(devices.start(config.devices.every_ms))
    },
    quiesce: async () => {
      open = false
      admission.close()
      for (const stop of stops) stop()
      await Promise.all([reload.stop(), quiesce(live, settlement, journal, clock, config.shutdown_grace_ms, log)])
    },
    close: async () => {
      await reload.stop()
      await Promise.all([pools.stop(), catalog.stop()])
      await storage.close()
    },
  }
}
