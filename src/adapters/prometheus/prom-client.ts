import { createRequire } from 'node:module'
import type * as PromClient from 'prom-client'

/**
 * Parts of prom-client, each from its own file: the package's main file also loads OpenTelemetry, pushing, clusters and summaries,
 * 70 files that nothing here uses.
 */
const require = createRequire(import.meta.url)

export const Counter = require('prom-client/lib/counter.js') as typeof PromClient.Counter
export const Gauge = require('prom-client/lib/gauge.js') as typeof PromClient.Gauge
export const Histogram = require('prom-client/lib/histogram.js') as typeof PromClient.Histogram
export const Registry = require('prom-client/lib/registry.js') as typeof PromClient.Registry

type Collect = (registry: PromClient.Registry, options: { readonly eventLoopMonitoringPrecision: number }) => void

/** What `collectDefaultMetrics` collects, without `processCpuTotal`: that one is for OpenTelemetry's exemplars, too. */
const processMetrics = [
  require('prom-client/lib/metrics/processStartTime.js'),
  require('prom-client/lib/metrics/osMemoryHeap.js'),
  require('prom-client/lib/metrics/processOpenFileDescriptors.js'),
  require('prom-client/lib/metrics/processMaxFileDescriptors.js'),
  require('prom-client/lib/metrics/eventLoopLag.js'),
  require('prom-client/lib/metrics/processResources.js'),
  require('prom-client/lib/metrics/processHandles.js'),
  require('prom-client/lib/metrics/processRequests.js'),
  require('prom-client/lib/metrics/heapSizeAndUsed.js'),
  require('prom-client/lib/metrics/heapSpacesSizeAndUsed.js'),
  require('prom-client/lib/metrics/version.js'),
  require('prom-client/lib/metrics/gc.js'),
] as readonly Collect[]

/** Node's own process metrics, named as prom-client's `collectDefaultMetrics` names them. */
export function collectProcessMetrics(registry: PromClient.Registry): void {
  for (const collect of processMetrics) collect(registry, { eventLoopMonitoringPrecision: 10 })
  collectCpu(registry)
}

function collectCpu(registry: PromClient.Registry): void {
  const counter = (name: string, what: string, microseconds: () => number): void => {
    new Counter({
      name: `process_cpu_${name}`,
      help: `Total ${what} CPU time spent in seconds.`,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(microseconds() / 1e6)
      },
    })
  }
  counter('user_seconds_total', 'user', () => process.cpuUsage().user)
  counter('system_seconds_total', 'system', () => process.cpuUsage().system)
  counter('seconds_total', 'user and system', () => process.cpuUsage().user + process.cpuUsage().system)
}
