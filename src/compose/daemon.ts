import type { Express } from 'express'
import { createPrometheusMetrics, type PrometheusMetrics } from '../adapters/prometheus/metrics.ts'
import { createSystemClock } from '../adapters/system/clock.ts'
import { createLog, type ProcessLog } from '../adapters/system/log.ts'
import { createNvidiaSmi } from '../adapters/system/nvidia-smi.ts'
import { serverKeys, type Config, type Environment } from '../config/config.ts'
import type { Storage } from '../ports/storage.ts'
import type { Log } from '../ports/telemetry.ts'
import { Devices } from '../services/pools/devices.ts'
import type { Clock } from '../ports/clock.ts'
import { coreOf, type Core, type CoreParts } from './core.ts'
import { enginesOf } from './engines.ts'
import { httpOf, type HttpParts } from './http.ts'
import { modelsOf } from './models.ts'
import { storageOf } from './storage.ts'

/** The daemon without its socket. */
export interface Daemon {
  readonly app: Express
  readonly core: Core
  readonly log: Log
  readonly clock: Clock
  /** Starts the engines; resolves when each replica is ready or has failed once. */
  start(): Promise<void>
  /** No task is admitted from now on; resolves when nothing runs any more. */
  quiesce(): Promise<void>
  /** Stops the engines and closes the storage. */
  close(): Promise<void>
  /** Resolves, with the reason, when the storage is lost: nothing can go on then. */
  readonly lost: Promise<Error>
}

/** One that tells of itself on standard output. */
export interface ProcessDaemon extends Daemon {
  readonly log: ProcessLog
}

/** What a daemon is put together of. */
export type DaemonParts = CoreParts & Pick<HttpParts, 'strict' | 'wrap'> & { readonly metrics: PrometheusMetrics }

/**
 * Builds the daemon from its configuration.
 * @param env holds the keys of engines' servers
 * @param opening the storage, which may be opened before this room is loaded
 * @throws ConfigError where a pool cannot be made
 * @throws StorageRefusedError where the storage cannot be used
 */
export async function daemonOf(
  config: Config,
  env: Environment = {},
  opening: Promise<Storage> = storageOf(config),
): Promise<ProcessDaemon> {
  const clock = createSystemClock()
  const log = createLog(config.log_level)
  const [storage, engines] = await Promise.all([opening, enginesOf({ config, clock, log, keys: serverKeys(config, env) })])
  // A clock that was set back would put what is to come before what was.
  clock.startFrom(await storage.newest())
  const models = modelsOf(config, clock)
  return { ...(await assemble({ config, storage, engines, models, clock, metrics: createPrometheusMetrics(true), log })), log }
}

/** Puts the rooms together. */
export async function assemble(parts: DaemonParts): Promise<Daemon> {
  const { config, storage, clock, metrics, log } = parts
  const core = await coreOf(parts)
  const app = httpOf({ ...parts, services: core, isReady: () => core.isReady() })
  const probe = createNvidiaSmi(config.devices.nvidia_smi)
  const devices = new Devices({ probe, pools: core.pools, clock, metrics, events: core.events })
  let stopDevices = (): void => undefined
  return {
    clock,
    ...{ app, core, log, lost: storage.lost },
    start: async () => {
      // A model may load for minutes; the devices of the others are seen all the same.
      stopDevices = devices.start(config.devices.every_ms)
      await core.start()
    },
    quiesce: () => {
      stopDevices()
      return core.quiesce(config.shutdown_grace_ms)
    },
    close: async () => {
      await core.stop()
      await storage.close()
    },
  }
}
