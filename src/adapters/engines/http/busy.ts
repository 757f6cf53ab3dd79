import { EngineFault } from './faults.ts'

/** How often a server that takes no more is asked again within one run, and how long is waited before, ms. */
const busy_ms = [500, 1000, 2000, 4000]
/** Longest wait that a server may ask for, ms. */
const longest_wait_ms = 30_000

/**
 * How long to wait before a server that took no more is asked again, ms; undefined where that is no help.
 * @param left_ms that the run may still be silent
 */
export function waitAfter(error: unknown, tries: number, left_ms: number): number | undefined {
  const asked_ms = error instanceof EngineFault && error.kind === 'busy' ? (error.retry_after_ms ?? busy_ms[tries]) : undefined
  if (asked_ms === undefined || tries >= busy_ms.length) return undefined
  const wait_ms = Math.min(longest_wait_ms, asked_ms)
  return wait_ms < left_ms ? wait_ms : undefined
}
