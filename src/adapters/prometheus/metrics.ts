import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { metricSeries, type CounterName, type GaugeName, type HistogramName } from '../../../generated/metrics.ts'
import type { Metrics } from '../../ports/telemetry.ts'

/** The metrics of one daemon and how to show them. */
export interface PrometheusMetrics extends Metrics {
  /** `Content-Type` of `scrape`. */
  readonly contentType: string
  /** The exposition text. */
  scrape(): Promise<string>
}

type Series<N extends string, M> = Record<N, M>

/**
 * Every series of `ci/metrics.lint.json` in a registry of its own.
 * @param processMetrics add Node's own process metrics
 */
export function createPrometheusMetrics(processMetrics: boolean): PrometheusMetrics {
  const registry = new Registry()
  const counters: Partial<Series<CounterName, Counter>> = {}
  const gauges: Partial<Series<GaugeName, Gauge>> = {}
  const histograms: Partial<Series<HistogramName, Histogram>> = {}
  for (const series of metricSeries) {
    const options = { name: series.name, help: series.help, labelNames: [...series.labels], registers: [registry] }
    if (series.type === 'counter') counters[series.name] = new Counter(options)
    else if (series.type === 'gauge') {
      gauges[series.name] = new Gauge(options)
      // This library starts a series without labels at 0, but nothing has been measured yet.
      if (options.labelNames.length === 0) gauges[series.name]?.remove()
    }
    else histograms[series.name] = new Histogram({ ...options, buckets: [...series.buckets] })
  }
  if (processMetrics) collectDefaultMetrics({ register: registry })
  return {
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    count: (name, labels, by = 1) => {
      counters[name]?.inc(labels, by)
    },
    gauge: (name, labels, value) => {
      gauges[name]?.set(labels, value)
    },
    observe: (name, labels, value) => {
      histograms[name]?.observe(labels, value)
    },
  }
}
