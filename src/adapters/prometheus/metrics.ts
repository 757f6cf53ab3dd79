import type PromClient from 'prom-client'
import { labelBudgets, metricSeries, type CounterName, type GaugeName, type HistogramName } from '../../../generated/metrics.ts'
import type { Metrics } from '../../ports/telemetry.ts'
import { LabelBudget } from './label-budget.ts'
import { collectProcessMetrics, Counter, Gauge, Histogram, Registry } from './prom-client.ts'

/** The metrics of one daemon and how to show them. */
export interface PrometheusMetrics extends Metrics {
  /** `Content-Type` of `scrape`. */
  readonly contentType: string
  /** The exposition text. */
  scrape(): Promise<string>
}

type Labels = Readonly<Record<string, string>>

/** One series and the values its labels have taken. */
class Series<M> {
  readonly metric: M
  private readonly budgets: readonly (readonly [label: string, budget: LabelBudget])[]

  constructor(metric: M, labels: readonly string[]) {
    this.metric = metric
    this.budgets = labels.map((label) => [label, new LabelBudget(labelBudgets[label] ?? 1)])
  }

  /** The declared labels, and only those, within their budgets. */
  admit(given: Labels): Record<string, string> {
    const labels: Record<string, string> = {}
    for (const [label, budget] of this.budgets) labels[label] = budget.admit(given[label] ?? '')
    return labels
  }

  /** The same for what has been recorded before. */
  find(given: Labels): Record<string, string> {
    return Object.fromEntries(this.budgets.map(([label, budget]) => [label, budget.find(given[label] ?? '')]))
  }

  /** Gives back the places of values that none of the samples has. */
  release(gone: Labels, samples: Iterable<Labels>): void {
    const left = [...samples]
    for (const [label, budget] of this.budgets) {
      const value = gone[label] ?? ''
      if (!left.some((labels) => labels[label] === value)) budget.release(value)
    }
  }
}

/** A gauge and the label sets it has, so that one that is taken away makes room for others. */
class GaugeSeries extends Series<PromClient.Gauge> {
  private readonly samples = new Map<string, Labels>()

  set(given: Labels, value: number): void {
    const labels = this.admit(given)
    this.samples.set(idOf(labels), labels)
    this.metric.set(labels, value)
  }

  forget(given: Labels): void {
    const labels = this.find(given)
    this.metric.remove(labels)
    if (this.samples.delete(idOf(labels))) this.release(labels, this.samples.values())
  }
}

const idOf = (labels: Labels): string => Object.values(labels).join('\n')

/**
 * Every series of `ci/metrics.lint.json` in a registry of its own. No label has more values than its budget at a time, whatever comes in, and nothing
 * here throws: a number that is none, or a counter that would fall, is left out.
 * @param processMetrics add Node's own process metrics
 */
export function createPrometheusMetrics(processMetrics: boolean): PrometheusMetrics {
  const registry = new Registry()
  const counters = new Map<CounterName, Series<PromClient.Counter>>()
  const gauges = new Map<GaugeName, GaugeSeries>()
  const histograms = new Map<HistogramName, Series<PromClient.Histogram>>()
  for (const series of metricSeries) {
    const options = { name: series.name, help: series.help, labelNames: [...series.labels], registers: [registry] }
    if (series.type === 'counter') counters.set(series.name, new Series(new Counter(options), series.labels))
    else if (series.type === 'gauge') {
      const gauge = new Gauge(options)
      gauges.set(series.name, new GaugeSeries(gauge, series.labels))
      // This library starts a series without labels at 0, but nothing has been measured yet.
      if (options.labelNames.length === 0) gauge.remove()
    } else histograms.set(series.name, new Series(new Histogram({ ...options, buckets: [...series.buckets] }), series.labels))
  }
  if (processMetrics) collectProcessMetrics(registry)
  return {
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    count: (name, labels, by = 1) => {
      const series = counters.get(name)
      if (by >= 0 && by < Infinity) series?.metric.inc(series.admit(labels), by)
    },
    gauge: (name, labels, value) => {
      if (Number.isFinite(value)) gauges.get(name)?.set(labels, value)
    },
    forget: (name, labels) => {
      gauges.get(name)?.forget(labels)
    },
    observe: (name, labels, value) => {
      const series = histograms.get(name)
      if (Number.isFinite(value)) series?.metric.observe(series.admit(labels), value)
    },
  }
}
