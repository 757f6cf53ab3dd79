import { pino } from 'pino'
import type { Log } from '../../ports/telemetry.ts'
import { LogOutput, sinkOf } from './log-output.ts'
import { printable } from './printable.ts'

/** A log whose lines can be waited for. */
export interface ProcessLog extends Log {
  /** @see LogOutput.flush */
  flush(limit_ms: number): Promise<void>
}

/** JSON lines on standard output, `level` and above; nothing in them can steer a terminal. */
export function createLog(level: string): ProcessLog {
  const output = new LogOutput(sinkOf(1))
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: printable } }, output)
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: (limit_ms) => output.flush(limit_ms),
  }
}
