import { createRequire } from 'node:module'
import type * as PromClient from 'prom-client'

/**
 * Parts of prom-client, each from its own file: the package's main file also loads OpenTelemetry, pushing, clusters and summaries,
 * 70 files that nothing here uses.
 */
const part = (name: string): unknown => createRequire(import.meta.url)(`prom-client/lib/${name}.js`)

export const { Counter, Gauge, Histogram, Registry } = {
  Counter: part('counter'),
  Gauge: part('gauge'),
  Histogram: part('histogram'),
  Registry: part('registry'),
} as Pick<typeof PromClient, 'Counter' | 'Gauge' | 'Histogram' | 'Registry'>

/** What `collectDefaultMetrics` collects, without `processCpuTotal`: that one is for OpenTelemetry's exemplars, too. */
const processMetrics = [
  'processStartTime',
  'osMemoryHeap',
  'processOpenFileDescriptors',
  'processMaxFileDescriptors',
  'eventLoopLag',
  'processResources',
  'processHandles',
  'processRequests',
  'heapSizeAndUsed',
  'heapSpacesSizeAndUsed',
  'version',
  'gc',
]

type Collect = (registry: PromClient.Registry, options: { readonly eventLoopMonitoringPrecision: number }) => void

/** Node's own process metrics, named as prom-client's `collectDefaultMetrics` names them. */
export function collectProcessMetrics(registry: PromClient.Registry): void {
  for (const name of processMetrics) (part(`metrics/${name}`) as Collect)(registry, { eventLoopMonitoringPrecision: 10 })
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
