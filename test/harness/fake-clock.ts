import type { Clock } from '../../src/ports/clock.ts'

interface Timer {
  at: number
  readonly period: number | undefined
  readonly run: () => void
  readonly order: number
}

/** A clock that stands still until the test moves it. Timers run in order of time, then of creation. */
export class FakeClock implements Clock {
  private time: number
  private created = 0
  private readonly timers = new Set<Timer>()
  /** Whether something real is under way that time must not pass over, such as a write to a disk. */
  busy: () => boolean = () => false

  /** How far somebody has set the machine's clock since the start, ms. */
  stepped_ms = 0

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.time = start
  }

  /** Timers that have not run or been canceled. */
  get pending(): number {
    return this.timers.size
  }

  now(): number {
    return this.time
  }

  wallOf(moment: number): number {
    return moment + this.stepped_ms
  }

  after(delay_ms: number, run: () => void): () => void {
    return this.add(delay_ms, undefined, run)
  }

  every(period_ms: number, run: () => void): () => void {
    return this.add(period_ms, period_ms, run)
  }

  /** Moves time on and runs every timer that is due, with the event loop turned between timers. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms
    await this.settled()
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0]
      if (due === undefined) break
      this.time = Math.max(this.time, due.at)
      if (due.period === undefined) this.timers.delete(due)
      else due.at += due.period
      due.run()
      await this.settled()
    }
    this.time = until
  }

  private async settled(): Promise<void> {
    // What ended while this waited has not been followed up yet.
    let was: boolean
    do {
      was = this.busy()
      await settled()
    } while (was || this.busy())
  }

  private add(delay: number, period: number | undefined, run: () => void): () => void {
    const timer: Timer = { at: this.time + Math.max(0, delay), period, run, order: this.created++ }
    this.timers.add(timer)
    return () => {
      this.timers.delete(timer)
    }
  }
}

/** Lets promises and immediates that are under way finish. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}
