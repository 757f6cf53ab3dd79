import { randomInt, randomUUID } from 'node:crypto'
import { checkPool, ConfigError, shownConfig, type Config } from '../config/config.ts'
import { Trust } from '../domain/catalog/trust.ts'
import { drawnId } from '../domain/drawn-id.ts'
import { DomainError } from '../domain/errors.ts'
import type { Restart } from '../domain/restart.ts'
import type { Services } from '../handlers/services.ts'
import type { Clock } from '../ports/clock.ts'
import type { Storage } from '../ports/storage.ts'
import type { Log, Metrics } from '../ports/telemetry.ts'
import { Artifacts } from '../services/artifacts.ts'
import { Catalog } from '../services/catalog/catalog.ts'
import { CreationLimits } from '../services/creation-limits.ts'
import { DaemonEvents } from '../services/daemon-events.ts'
import { catalogFollower } from '../services/operations/catalog-follower.ts'
import { Configuration } from '../services/operations/configuration.ts'
import { Drain } from '../services/operations/drain.ts'
import { Estimates } from '../services/operations/estimates.ts'
import { Loads } from '../services/operations/loads.ts'
import { recover } from '../services/operations/recovery.ts'
import { Reload } from '../services/operations/reload.ts'
import { restartNow } from '../services/operations/restart.ts'
import { retention } from '../services/operations/retention.ts'
import { quiesce } from '../services/operations/shutdown.ts'
import { ModelAccess } from '../services/pools/model-access.ts'
import { Groups } from '../services/pools/groups.ts'
import { PoolRecords } from '../services/pools/pool-records.ts'
import { Pool, type PoolConfig } from '../services/pools/pool.ts'
import { Pools } from '../services/pools/pools.ts'
import { Sessions } from '../services/sessions/sessions.ts'
import { Admission } from '../services/tasks/admission.ts'
import { Cancellation } from '../services/tasks/cancellation.ts'
import { DoorTasks } from '../services/tasks/door-tasks.ts'
import { Dispatcher } from '../services/tasks/dispatcher.ts'
import { KeyLimits } from '../services/tasks/key-limits.ts'
import type { LiveTask } from '../services/tasks/live-task.ts'
import { LiveTasks } from '../services/tasks/live-tasks.ts'
import { PartRecorder } from '../services/tasks/part-recorder.ts'
import { Settlement } from '../services/tasks/settlement.ts'
import { Streams } from '../services/tasks/streams.ts'
import { Tasks } from '../services/tasks/tasks.ts'
import { logLines } from '../services/telemetry/log-lines.ts'
import { meter } from '../services/telemetry/metrics.ts'
import { UsageBook } from '../services/usage.ts'
import { batchesOf } from './batches.ts'
import type { EngineFactory } from './engines.ts'
import { feedOf } from './feed.ts'
import type { Models } from './models.ts'

/** What the core stands on: the ports, and the configuration. */
export interface CoreParts {
  readonly config: Config
  readonly storage: Storage
  readonly engines: EngineFactory
  readonly models: Models
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
  /** A seed for a task that brings none, 0 to 2^32 - 1; random unless given. */
  readonly drawSeed?: () => number
  /** An id for a task that brings none; `drawnId` unless given. */
  readonly drawId?: () => string
  /** Spreads the restarts of engines and the attempts of downloads, 0 to 1; random unless given. */
  readonly jitter?: () => number
}

/** The daemon without its edges: what is behind the handlers. */
export interface Core extends Services {
  readonly pools: Pools<LiveTask>
  readonly live: LiveTasks
  readonly settlement: Settlement
  readonly events: DaemonEvents
  /** Whether tasks can be taken: every engine has had its first start, and one at least is up. */
  isReady(): boolean
  /** What a restart would do to the tasks now; O(live tasks). */
  restart(): Restart
  /** Starts the engines; resolves when each replica is ready or has failed once. */
  start(): Promise<void>
  /** No task is admitted from now on; resolves when nothing runs any more. */
  quiesce(grace_ms: number): Promise<void>
  /** Stops the engines. */
  stop(): Promise<void>
}

/** Makes the configured pools, so that a pool that cannot be made is an error of the configuration. @throws ConfigError */
function poolMaker({ config, engines, models, clock, storage, jitter = Math.random }: CoreParts, events: DaemonEvents) {
  const { files, source } = models
  const { signers, hf_endpoint } = config.catalog
  const catalog = new Catalog({ files, source, trust: new Trust(signers), hf_endpoint, journal: storage.journal, clock, events, jitter })
  const resolve = (model_id: string): Promise<string> => catalog.resolve(model_id)
  const poolOf = (pool: PoolConfig): Pool<LiveTask> =>
    new Pool<LiveTask>(pool, { engineOf: (of, replica) => engines(of, replica, resolve), clock, events, jitter })
  return { catalog, poolOf }
}

/** Builds the services and takes up what the last run left. @throws ConfigError where a pool cannot be made */
export async function coreOf(parts: CoreParts): Promise<Core> {
  // Some engines (Gemini, models of Triton with an INT32) take no larger seed.
  const { config, storage, clock, metrics, log, drawSeed = () => randomInt(2 ** 31) } = parts
  const { drawId = () => drawnId(clock.wallOf(clock.now()), randomUUID()) } = parts
  const events = new DaemonEvents((err) => log.error({ event: 'error', err }, 'A listener of the daemon failed.'))
  events.listen(logLines(log))
  events.listen(meter(metrics))
  const limits = new Map(config.auth.keys.map(({ name, limits }) => [name, limits]))
  const { stored_bytes, free_bytes } = config.limits
  const creation = new CreationLimits({ limits, stored_bytes, free_bytes, space: storage.space, clock, events })
  const journal = creation.counted(storage.journal)

  const configuration = new Configuration({ shown: (pools) => shownConfig({ ...config, pools: [...pools] }), clock })
  events.listen(configuration.listener)

  const { catalog, poolOf } = poolMaker(parts, events)
  const records = new PoolRecords(await storage.pools.all(), config.pools, journal)
  const pools = new Pools(
    config.pools.map((pool) => reloadedAgain(pool, records, poolOf, events)),
    events,
    config.models,
  )
  const estimates = new Estimates({ pools, records, clock, events })
  const stopEstimates = estimates.start()
  const access = new ModelAccess(pools, modelsOfKeys(config))

  const groups = new Groups(config.groups, { pools, records, clock, events, jitter: parts.jitter ?? Math.random })

  const live = new LiveTasks()
  const sessions = new Sessions({
    ...{ rules: config.sessions, keyBudgets: budgetsOf(config), clock, journal, creation },
    mostOf: (owner) => limits.get(owner)?.sessions ?? config.limits.sessions,
  })
  const keyLimits = new KeyLimits(limits, live)
  const settlement = new Settlement({ live, journal, clock, events })
  const recorder = new PartRecorder({ journal, clock, events })
  const dispatcher = new Dispatcher({ pools, settlement, journal, recorder, clock, events })
  const admission = new Admission({
    ...{
      pools,
      live,
      sessions,
      keyLimits,
      creation,
      access,
      models: catalog,
      dispatcher,
      settlement,
      journal,
      clock,
      events,
      drawSeed,
      drawId,
    },
    deadline_ms: config.defaults.deadline_ms,
  })
  const usage = new UsageBook({ store: storage.usage, journal, clock, events })
  events.listen(usage.listener)
  const streams = new Streams({ live, journal, eventLog: storage.eventLog, clock })
  const cancellation = new Cancellation(live, settlement, journal)
  const drain = new Drain({ pools, settlement, records, journal, clock, events })
  const loads = new Loads({ pools, drain, clock, events })
  const makePool = (pool: PoolConfig): Pool<LiveTask> => reloadedPool(pool, poolOf)
  const reload = new Reload({ pools, drain, records, groups, makePool, models: catalog, clock, events })

  let phase: 'starting' | 'open' | 'closing' = 'starting'
  const { feed, stopFeed } = feedOf({ config, pools, live, clock, metrics, events, isStopping: () => phase === 'closing' })

  const doorTasks = new DoorTasks({ admission, streams, cancellation, clock, linger_ms: config.doors.linger_ms })
  const artifacts = new Artifacts({ store: storage.artifacts, journal, creation, clock })
  const { files, batches } = batchesOf({ config, storage, journal, creation, clock, events, live, cancellation, doorTasks, artifacts })

  const stops = [stopEstimates, await creation.start(), dispatcher.start(), streams.start(), await sessions.start(storage.sessions)]
  stops.push(usage.start(), retention(config.retention, { journal, clock, events }))
  await catalog.start(storage.catalog, catalogFollower(pools, drain))
  await recover({ journal, admission, settlement, pools, clock, events })
  drain.restore()
  await files.start()
  await batches.start()
  return {
    ...{ admission, streams, sessions, pools, access, catalog, configuration, drain, loads, reload, live, settlement, events, usage, feed },
    tasks: new Tasks({ live, journal, pools, clock }),
    cancellation,
    ...{ doorTasks, artifacts, files, batches },
    isReady: () => phase === 'open' && pools.all().some(({ serves }) => serves),
    restart: () => restartNow({ live, pools, clock }),
    start: async () => {
      await Promise.all([pools.start(), groups.start()])
      if (phase === 'starting') phase = 'open'
    },
    quiesce: async (grace_ms) => {
      phase = 'closing'
      admission.close()
      groups.stop()
      await batches.stop()
      for (const stop of stops) stop()
      await Promise.all([reload.stop(), quiesce(grace_ms, { live, settlement, journal, clock, events })])
      stopFeed()
      await usage.flush()
    },
    stop: async () => {
      groups.stop()
      drain.stop()
      doorTasks.stop()
      settlement.stop()
      await Promise.all([reload.stop(), loads.stop()])
      await Promise.all([pools.stop(), catalog.stop(), estimates.write()])
    },
  }
}

const budgetsOf = ({ auth }: Config): Map<string, Config['auth']['keys'][number]['limits']['budgets']> =>
  new Map(auth.keys.flatMap(({ name, limits: { budgets } }) => (Object.keys(budgets).length === 0 ? [] : [[name, budgets] as const])))

const modelsOfKeys = ({ auth }: Config): Map<string, readonly string[]> =>
  new Map(auth.keys.flatMap(({ name, limits: { models } }) => (models === undefined ? [] : [[name, models] as const])))

type PoolMaker = (pool: PoolConfig) => Pool<LiveTask>

/** The pool with the model that a reload put on it before the restart; as configured where there was none, or that one cannot be used any more. */
function reloadedAgain(config: PoolConfig, records: PoolRecords, poolOf: PoolMaker, events: DaemonEvents): Pool<LiveTask> {
  const configured = poolOf(config)
  const model = records.reloadedModel(config)
  if (model === undefined) return configured
  try {
    return poolOf(checkPool({ ...config, model }))
  } catch (err) {
    const { id: pool_id } = config
    const message = `Pool ${pool_id} was reloaded with ${model}, which cannot be used any more; it serves ${config.model} as configured.`
    events.emit({ type: 'notice', level: 'error', event: 'recovery', message, fields: { pool_id, model_ref: model, err } })
    return configured
  }
}

/** A pool for a reload. @throws DomainError invalid_params where its model reference cannot be used */
function reloadedPool(config: PoolConfig, poolOf: PoolMaker): Pool<LiveTask> {
  try {
    return poolOf(checkPool(config))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { message } = error.cause instanceof Error ? error.cause : error
    throw new DomainError('invalid_params', `body.model_ref: ${message}`)
  }
}
