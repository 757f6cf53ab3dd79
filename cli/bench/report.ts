import { spanText } from '../common/output.ts'
import type { Done } from './load.ts'

interface Spread {
  readonly p50: number
  readonly p95: number
}

/** What a run of `bench` has measured; times in ms. */
export interface Report {
  readonly tasks: number
  readonly failed: number
  readonly took_ms: number
  readonly tasks_per_second: number
  readonly tokens_per_second: number
  /** From sending to the first token, by priority. */
  readonly first_token_ms: Readonly<Record<'interactive' | 'batch', Spread>>
  readonly total_ms: Spread
  /** How far the predicted start was from the actual one, of tasks that had to wait. */
  readonly prediction: { readonly waited: number; readonly error_ms: Spread; readonly queue_ms: Spread }
}

/** The value below which a share of the values lies; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
}

const spread = (values: readonly number[]): Spread => ({ p50: Math.round(quantile(values, 0.5)), p95: Math.round(quantile(values, 0.95)) })

const rate = (count: number, ms: number): number => Math.round((count / ms) * 10_000) / 10

/** Counts what was measured. */
export function reportOf(done: readonly Done[], failures: readonly string[], took_ms: number): Report {
  const firsts = (priority: Done['priority']): Spread =>
    spread(done.filter((one) => one.priority === priority).map(({ first_token_ms }) => first_token_ms))
  const waited = done.filter(({ predicted_start_ms }) => predicted_start_ms > 0)
  return {
    tasks: done.length,
    failed: failures.length,
    took_ms: Math.round(took_ms),
    tasks_per_second: rate(done.length, took_ms),
    tokens_per_second: rate(
      done.reduce((sum, { tokens_out }) => sum + tokens_out, 0),
      took_ms,
    ),
    first_token_ms: { interactive: firsts('interactive'), batch: firsts('batch') },
    total_ms: spread(done.map(({ total_ms }) => total_ms)),
    prediction: {
      waited: waited.length,
      error_ms: spread(waited.map(({ predicted_start_ms, queue_ms }) => Math.abs(predicted_start_ms - queue_ms))),
      queue_ms: spread(waited.map(({ queue_ms }) => queue_ms)),
    },
  }
}

const spreadText = ({ p50, p95 }: Spread): string => `half within ${spanText(p50)}, 95 % within ${spanText(p95)}`

/** The report for people. */
export const textOf = ({
  tasks,
  failed,
  took_ms,
  tasks_per_second,
  tokens_per_second,
  first_token_ms,
  total_ms,
  prediction,
}: Report): string =>
  [
    `${tasks} tasks in ${spanText(took_ms)}, ${failed} failed`,
    `  throughput        ${tasks_per_second} tasks/s, ${tokens_per_second} tokens/s`,
    `  first token       interactive: ${spreadText(first_token_ms.interactive)}`,
    `                    batch: ${spreadText(first_token_ms.batch)}`,
    `  whole task        ${spreadText(total_ms)}`,
    `  predicted start   of ${prediction.waited} that waited: wrong by ${spanText(prediction.error_ms.p50)} in half, by ${spanText(prediction.error_ms.p95)} in 95 %`,
    `  time in the queue ${spreadText(prediction.queue_ms)}`,
  ].join('\n')
