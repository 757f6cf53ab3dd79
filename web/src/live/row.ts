import { signal } from '@preact/signals'
import type { FeedRow, FeedState, QueueEntry } from './types.ts'

/** When a waiting task should start, and whether it will be in time. */
export interface Prediction {
  /** The daemon's time, ms since 1970. */
  readonly at: number
  readonly on_time: number | undefined
}

/** A task in view. What changes often has a signal of its own, so that it writes one text and renders nothing. */
export class Row {
  readonly facts
  readonly out
  readonly rate
  readonly start

  /** @param at the daemon's time of the event that brought the row, ms since 1970 */
  constructor(row: FeedRow, at: number) {
    this.facts = signal(row)
    this.out = signal(row.tokens_out ?? 0)
    this.rate = signal(row.tokens_per_s)
    this.start = signal(predictionOf(row, at))
  }

  /** The row anew. */
  set(row: FeedRow, at: number): void {
    this.facts.value = row
    this.out.value = row.tokens_out ?? 0
    this.rate.value = row.tokens_per_s
    this.start.value = predictionOf(row, at)
  }

  /** How it is from now on. */
  become(state: FeedState, at: number): void {
    const { task_id, session_id, key_name, priority, model_ref, accepted_at, deadline_at, tokens_in, tokens_max } = this.facts.peek()
    const lasting = { task_id, session_id, key_name, priority, model_ref, accepted_at, deadline_at }
    this.set(
      {
        ...lasting,
        ...(tokens_in === undefined ? {} : { tokens_in }),
        ...(tokens_max === undefined ? {} : { tokens_max }),
        ...state,
      },
      at,
    )
  }

  /** Whether it waits and will more likely than not miss its deadline. */
  get isLate(): boolean {
    const on_time = this.start.value?.on_time
    return this.facts.value.state === 'queued' && on_time !== undefined && on_time < 0.5
  }
}

const predictionOf = (row: FeedRow, at: number): Prediction | undefined =>
  row.predicted_start_ms === undefined ? undefined : { at: at + row.predicted_start_ms, on_time: row.on_time_probability }

/** A row of the queue's listing, which the feed does not bring; undefined of others, of which only the place is told. */
export function rowOf(entry: QueueEntry, pool_id: string, key_name: string, at: number): Row | undefined {
  const { task_id, session_id, priority, age_ms, deadline_in_ms = 0, waits } = entry
  if (task_id === undefined || session_id === undefined) return undefined
  const { predicted_start_ms, on_time_probability } = entry
  const time = (ms: number): string => new Date(ms).toISOString()
  return new Row(
    {
      ...{ h: -1, task_id, session_id, key_name: entry.owner ?? key_name, pool_id, priority, model_ref: '', state: 'queued', attempt: 0 },
      ...{ accepted_at: time(at - age_ms), deadline_at: time(at + deadline_in_ms) },
      ...(predicted_start_ms === undefined ? {} : { predicted_start_ms }),
      ...(on_time_probability === undefined ? {} : { on_time_probability }),
      ...(waits === undefined ? {} : { waits }),
    },
    at,
  )
}
