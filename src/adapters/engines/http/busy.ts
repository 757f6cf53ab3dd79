import { EngineFault } from './faults.ts'

/** How often a server that takes no more is asked again within one run, and how long is waited before, ms. */
const busy_ms = [500, 1000, 2000, 4000]
/** Longest time that a run waits for its server, ms: where that asks for more, all its tasks wait, and not in its slots. */
const longest_wait_ms = 30_000

/**
 * How long to wait before a server that took no more is asked again, ms; undefined where that is no help.
 * @param left_ms that the run may still be silent
 */
export function waitAfter(error: unknown, tries: number, left_ms: number): number | undefined {
  const wait_ms = error instanceof EngineFault && error.kind === 'busy' ? (error.again_ms ?? busy_ms[tries]) : undefined
  if (wait_ms === undefined || tries >= busy_ms.length) return undefined
  return wait_ms <= longest_wait_ms && wait_ms < left_ms ? wait_ms : undefined
}
