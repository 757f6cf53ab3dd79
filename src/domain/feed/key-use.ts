/** What is remembered of a key, and in what steps, ms. */
export const window_ms = 600_000
const step_ms = 30_000
const steps = window_ms / step_ms

/** What a key has used, and what became of its tasks. */
export interface Used {
  /** Time that its tasks have run, ms. */
  readonly engine_ms: number
  readonly tokens: number
  readonly refused: number
  readonly late: number
}

const nothing: Used = { engine_ms: 0, tokens: 0, refused: 0, late: 0 }

/** What a key has used in the last 10 min, to half a minute. Points in time are ms since any moment. */
export class KeyUse {
  private readonly ring: { step: number; used: Used }[] = []

  add(now: number, more: Partial<Used>): void {
    this.addTo(Math.floor(now / step_ms), more)
  }

  /** A task has run from then to now: each step gets its part. */
  ran(from: number, now: number): void {
    for (let to = now; to > from && to > now - window_ms;) {
      const begin = Math.max(from, Math.ceil(to / step_ms - 1) * step_ms)
      this.addTo(Math.floor(begin / step_ms), { engine_ms: to - begin })
      to = begin
    }
  }

  /** The sum of the last 10 min. */
  sum(now: number): Used {
    const newest = Math.floor(now / step_ms)
    let sum = nothing
    for (const entry of this.ring) if (entry.step > newest - steps) sum = plus(sum, entry.used)
    return sum
  }

  private addTo(step: number, more: Partial<Used>): void {
    const entry = this.ring.find((one) => one.step === step)
    if (entry !== undefined) entry.used = plus(entry.used, more)
    else if (this.ring.length <= steps) this.ring.push({ step, used: plus(nothing, more) })
    else {
      const oldest = this.ring.reduce((a, b) => (b.step < a.step ? b : a))
      if (oldest.step < step) Object.assign(oldest, { step, used: plus(nothing, more) })
    }
  }
}

const plus = (a: Used, { engine_ms = 0, tokens = 0, refused = 0, late = 0 }: Partial<Used>): Used => ({
  engine_ms: a.engine_ms + engine_ms,
  tokens: a.tokens + tokens,
  refused: a.refused + refused,
  late: a.late + late,
})
