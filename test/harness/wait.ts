import { setTimeout as pause } from 'node:timers/promises'

/** Resolves when the condition holds; looks at it each time the event loop comes round. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** Asks again and again until the answer fits, with pauses that leave the machine to what is waited for. */
export async function untilAnswer<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return answer
    await pause(2)
  }
}
