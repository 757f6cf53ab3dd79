import type { Clock } from '../../ports/clock.ts'

/** The machine's clock: wall time at start, monotonic from there. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after: (delay_ms, run) => {
    const timer = setTimeout(run, Math.min(delay_ms, 0x7fffffff)).unref()
    return () => {
      clearTimeout(timer)
    }
  },
  every: (period_ms, run) => {
    const timer = setInterval(run, period_ms).unref()
    return () => {
      clearInterval(timer)
    }
  },
}
