/** What a key has used of a model on a day. */
export interface Usage {
  readonly owner: string
  readonly model_ref: string
  /** UTC, as `2026-01-31`. */
  readonly day: string
  readonly tasks: number
  readonly tokens_in: number
  readonly tokens_in_cached: number
  readonly tokens_out: number
  /** Money, billionths. */
  readonly cost_nano: number
  readonly refusals: number
}

const day_ms = 86_400_000

/** The last day that was asked for, by its beginning: mostly the one of now. */
let last = { from: NaN, name: '' }

/** The day of a time in milliseconds since the epoch, UTC. */
export function dayOf(at: number): string {
  const from = Math.floor(at / day_ms) * day_ms
  if (from !== last.from) last = { from, name: new Date(from).toISOString().slice(0, 10) }
  return last.name
}

/** Usage with nothing in it but what is given. */
export const usageOf = (some: Pick<Usage, 'owner' | 'model_ref' | 'day'> & Partial<Usage>): Usage => ({
  ...{ tasks: 0, tokens_in: 0, tokens_in_cached: 0, tokens_out: 0, cost_nano: 0, refusals: 0 },
  ...some,
})
