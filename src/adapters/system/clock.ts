import type { Clock } from '../../ports/clock.ts'

/** A clock of the machine that can be told what it must not be behind. */
export interface SystemClock extends Clock {
  /** Goes on from `at` (ms since the epoch) where it is behind that: what happened before a restart happened earlier. */
  startFrom(at: number): void
}

/** Both times of the machine. */
export interface MachineTime {
  /** Milliseconds since the epoch; may be set by anybody, to any time. */
  readonly wall: () => number
  /** Milliseconds, evenly. */
  readonly monotonic: () => number
}

const machine: MachineTime = { wall: () => Date.now(), monotonic: () => performance.now() }

/** The machine's clock: `now` is its wall time at the start and monotonic from there, `wallOf` follows what is done to it. */
export function createSystemClock({ wall, monotonic }: MachineTime = machine): SystemClock {
  let origin = wall() - monotonic()
  // What is stored stays in the past: until the machine's clock has come there, time goes on from there.
  let floor = -Infinity
  const now = (): number => origin + monotonic()
  return {
    now,
    wallOf: (moment) => moment + Math.max(wall(), floor + monotonic()) - now(),
    startFrom: (at) => {
      floor = at - monotonic()
      origin = Math.max(origin, floor)
    },
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
}

/** The machine's clock for what nothing has been stored of. */
export const systemClock: Clock = createSystemClock()
