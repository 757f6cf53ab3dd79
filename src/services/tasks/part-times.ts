import type { Took } from '../../domain/prediction/work.ts'

/** When the parts of a task came, milliseconds since the epoch. */
export class PartTimes {
  /** Undefined until there was a part. */
  first_at: number | undefined
  last_at: number | undefined

  /** From the first to the last part, ms; undefined where there was none. */
  get decode_ms(): number | undefined {
    return this.first_at === undefined || this.last_at === undefined ? undefined : Math.round(this.last_at - this.first_at)
  }

  /** What the parts of a task took that was dispatched then; undefined where there is none, or some are of an earlier run. */
  took(dispatched_at: number): Took | undefined {
    const { first_at, last_at } = this
    if (first_at === undefined || last_at === undefined || first_at < dispatched_at) return undefined
    return { prefill_ms: first_at - dispatched_at, decode_ms: last_at - first_at }
  }

  /** A part came. Returns whether it is the first. */
  heard(now: number): boolean {
    const first = this.first_at === undefined
    this.first_at ??= now
    this.last_at = now
    return first
  }
}
