import { pino } from 'pino'
import type { Log } from '../../ports/telemetry.ts'
import { printable } from './printable.ts'

/** JSON lines on standard output, `level` and above; nothing in them can steer a terminal. */
export const createLog = (level: string): Log =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: printable } })
