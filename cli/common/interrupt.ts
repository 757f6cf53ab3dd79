import { exit, interrupted } from './exit.ts'

/**
 * Calls what is to be stopped by Ctrl-C, or by SIGTERM, with a signal that aborts then. A second one does not wait for anything.
 * @throws `interrupted` as the signal's reason
 */
export async function interruptible<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exit.interrupted)
    controller.abort(interrupted)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await act(controller.signal)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
