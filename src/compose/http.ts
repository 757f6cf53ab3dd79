import type { Express } from 'express'
import type { PrometheusMetrics } from '../adapters/prometheus/metrics.ts'
import type { Config } from '../config/config.ts'
import { createHandlers } from '../handlers/index.ts'
import type { Services } from '../handlers/services.ts'
import { createApp } from '../http/server.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/telemetry.ts'

/** What the HTTP side stands on. */
export interface HttpParts {
  readonly config: Config
  readonly services: Services
  readonly isReady: () => boolean
  readonly metrics: PrometheusMetrics
  readonly clock: Clock
  readonly log: Log
  /** Undeclared error statuses are thrown instead of answered (tests). */
  readonly strict?: boolean
  /** Replaces services (tests). */
  readonly wrap?: (services: Services) => Services
}

/** The app on the services; it has no socket yet. */
export function httpOf({ config, services, isReady, metrics, clock, log, strict = false, wrap = (made) => made }: HttpParts): Express {
  return createApp({
    handlers: createHandlers(wrap(services)),
    clock,
    body_bytes: config.limits.body_bytes,
    door_body_bytes: config.limits.door_body_bytes,
    file_bytes: config.limits.file_bytes,
    auth: config.auth,
    origins: config.cors.origins,
    connections_per_key: config.limits.connections_per_key,
    strict,
    report: (err, correlation_id, what) => {
      log.error({ event: 'error', err, correlation_id }, `A request failed: ${what}.`)
    },
    isReady,
    metrics,
  })
}
