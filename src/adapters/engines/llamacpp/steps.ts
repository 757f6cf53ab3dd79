import { setImmediate as nextRound } from 'node:timers/promises'

/** Runs one step of evaluation: a chunk of a prompt, or one token. */
export type RunStep = <T>(step: () => Promise<T>) => Promise<T>

/**
 * Steps of all sequences at once, in step: what is pending starts together and becomes one batch, and the next one waits for all of
 * it. Left to themselves two sequences fall out of step and the library evaluates them alternately, one token a batch: seen, and on a
 * model that is bound by memory it halves the rate.
 */
export function inStep(): RunStep {
  let pending: (() => Promise<void>)[] = []
  let running = false
  const run = async (): Promise<void> => {
    running = true
    while (pending.length > 0) {
      const batch = pending
      pending = []
      await Promise.all(batch.map((start) => start()))
      // Whoever goes on asks for the next step before this resolves.
      await nextRound()
    }
    running = false
  }
  return <T>(step: () => Promise<T>) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // Also one that throws at once: all that is pending waits for it.
    pending.push(() => Promise.resolve().then(step).then(resolve, reject))
    if (!running) void run()
    return promise
  }
}

/** One step at a time, in order of asking: each sequence is evaluated as if it were alone. */
export function oneAtATime(): RunStep {
  let last: Promise<unknown> = Promise.resolve()
  return (step) => {
    const mine = last.then(step)
    last = mine.catch(() => undefined)
    return mine
  }
}
