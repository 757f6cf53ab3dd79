import { pino } from 'pino'
import type { Log } from '../../ports/telemetry.ts'

/** JSON lines on standard output, `level` and above. */
export const createLog = (level: string): Log => pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
