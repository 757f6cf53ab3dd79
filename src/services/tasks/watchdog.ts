import { StreamError } from '../../domain/errors.ts'
import type { CancelTimer, Clock } from '../../ports/clock.ts'
import type { LiveTask } from './live-task.ts'

/** Limits on one run, ms. */
export interface RunLimits {
  /** Longest run. */
  readonly wall_ms: number
  /** Longest silence of the engine. */
  readonly idle_ms: number
  /** Time the engine has to confirm an abort. */
  readonly abort_ms: number
}

/**
 * Watches one run of a task: aborts it with DECODE_TIMEOUT when it takes too long or goes silent, and calls `onDeaf` when the engine does
 * not confirm an abort, whoever asked for it. No work per token: the idle timer looks at the time of the last one when it rings.
 * @returns ends the watch
 */
export function watch(task: LiveTask, limits: RunLimits, stop: AbortController, clock: Clock, onDeaf: () => void): CancelTimer {
  let cancelIdle: CancelTimer = () => undefined
  let cancelDeaf: CancelTimer = () => undefined
  const timeout = (message: string): void => {
    stop.abort(new StreamError('decode_timeout', message))
  }
  const cancelWall = clock.after(limits.wall_ms, () => {
    timeout(`The task ran longer than timeouts.wall_ms (${limits.wall_ms}).`)
  })
  const armIdle = (delay_ms: number): void => {
    cancelIdle = clock.after(delay_ms, () => {
      const left = (task.times.last_at ?? 0) + limits.idle_ms - clock.now()
      if (left > 0) armIdle(left)
      else timeout(`The engine was silent for timeouts.idle_ms (${limits.idle_ms}).`)
    })
  }
  armIdle(limits.idle_ms)
  const onAbort = (): void => {
    cancelDeaf = clock.after(limits.abort_ms, onDeaf)
  }
  if (stop.signal.aborted) onAbort()
  else stop.signal.addEventListener('abort', onAbort, { once: true })
  return () => {
    stop.signal.removeEventListener('abort', onAbort)
    cancelWall()
    cancelIdle()
    cancelDeaf()
  }
}
