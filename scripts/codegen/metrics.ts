import { header, read } from './bundle.ts'

interface MetricSeries {
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  labels: string[]
  buckets?: number[]
}

/** `metrics.ts`: the series with their labels, as types and as values. @throws Error where a label has no budget */
export function metricTypes(): string {
  const lint = JSON.parse(read('ci/metrics.lint.json')) as { budgets: Record<string, number>; series: MetricSeries[] }
  for (const series of lint.series)
    for (const label of series.labels)
      if (!(label in lint.budgets)) throw new Error(`${series.name}: label ${label} has no cardinality budget`)
  const names = (type: MetricSeries['type']): string =>
    lint.series
      .filter((series) => series.type === type)
      .map((series) => `'${series.name}'`)
      .join(' | ')
  const labels = lint.series.map(
    (series) =>
      `  ${series.name}: ${series.labels.length === 0 ? 'Record<never, string>' : `{ ${series.labels.map((label) => `${label}: string`).join('; ')} }`}`,
  )
  const definition = (series: MetricSeries): string =>
    `  ${JSON.stringify({ name: series.name, type: series.type, help: series.help, labels: series.labels, buckets: series.buckets ?? [] })},`
  return `${header('ci/metrics.lint.json')}
/** Labels of every series. */
export interface MetricLabels {
${labels.join('\n')}
}

export type CounterName = ${names('counter')}
export type GaugeName = ${names('gauge')}
export type HistogramName = ${names('histogram')}

/** Every series as the registry needs it. */
export const metricSeries = [
${lint.series.map(definition).join('\n')}
] as const

/** Most values a label may take. */
export const labelBudgets: Record<string, number> = ${JSON.stringify(lint.budgets)}
`
}
