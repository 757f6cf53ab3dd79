import type { CounterName, GaugeName, HistogramName, MetricLabels } from '../../generated/metrics.ts'

/**
 * The typed metrics registry; names and labels come from `ci/metrics.lint.json`. A label value beyond its label's budget is recorded as `other`;
 * nothing is ever thrown.
 */
export interface Metrics {
  /** Adds `by` (default 1) to a counter. */
  count<N extends CounterName>(name: N, labels: MetricLabels[N], by?: number): void
  gauge<N extends GaugeName>(name: N, labels: MetricLabels[N], value: number): void
  /** Takes a gauge's sample away: what it was about is gone, or nobody knows any more. */
  forget<N extends GaugeName>(name: N, labels: MetricLabels[N]): void
  observe<N extends HistogramName>(name: N, labels: MetricLabels[N], value: number): void
}

/** Structured fields of a log line; `event` says what kind of thing happened, the message is one plain sentence. */
export type LogFields = Readonly<Record<string, unknown>>

/** JSON lines. Keys, prompts and credentials never go in. */
export interface Log {
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}
