import type { Clock } from '../../../ports/clock.ts'

/** Waits `delay_ms` (0: until the event loop comes round; Infinity: for an abort). Rejects with the reason of the first signal that aborts. */
export function pause(clock: Clock, delay_ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const immediate = delay_ms === 0 ? setImmediate(() => settle(resolve)) : undefined
    const cancel = delay_ms === 0 || delay_ms === Infinity ? undefined : clock.after(delay_ms, () => settle(resolve))
    const aborted = (): void => {
      const reason: unknown = signals.find((signal) => signal.aborted)?.reason
      settle(() => {
        reject(reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
      })
    }
    const settle = (run: () => void): void => {
      if (immediate !== undefined) clearImmediate(immediate)
      cancel?.()
      for (const signal of signals) signal.removeEventListener('abort', aborted)
      run()
    }
    for (const signal of signals) signal.addEventListener('abort', aborted, { once: true })
    if (signals.some((signal) => signal.aborted)) aborted()
  })
}
