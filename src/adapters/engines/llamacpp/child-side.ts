import { EngineError } from '../../../ports/engine.ts'
import type { Failure, Report } from './protocol.ts'

// Without a parent there is nobody to work for. SIGKILL, as an orderly exit can hang in native code.
const die = (): void => void process.kill(process.pid, 'SIGKILL')

/** Sends a report to the parent. */
export const post = (report: Report): void => {
  process.send?.(report, undefined, undefined, (error) => {
    if (error !== null) die()
  })
}

/** What a failure is to the parent. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof EngineError) return { message: error.message, retriable: error.retriable }
  return { message: `llama.cpp failed: ${error instanceof Error ? error.message : String(error)}`, retriable: true }
}

/** Ends with the parent, and not before it says so. */
export function outliveSignals(): void {
  process.on('disconnect', die)
  // Ctrl-C and service managers signal the whole group; when we end is the daemon's decision, after its running tasks.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
}
