import { setImmediate as nextRound, setTimeout as pause } from 'node:timers/promises'

/** Longest wait of a test on the real clock, ms: what takes longer hangs, whatever the machine does beside. */
const longest_ms = 240_000

const inVain = (what: string, limit_ms: number): Error => new Error(`waited ${limit_ms / 1000} s in vain for ${what}`)

/** Rejects with a sentence where the promise takes longer than anything that does not hang. @param what is waited for */
export async function inTime<T>(promise: Promise<T>, what: string, limit_ms = longest_ms): Promise<T> {
  const hung = Promise.withResolvers<never>()
  const timer = setTimeout(() => hung.reject(inVain(what, limit_ms)), limit_ms)
  try {
    return await Promise.race([promise, hung.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Rounds of the event loop in which a condition is looked at, before it is only every millisecond: the processor is left to what is waited for. */
const close_looks = 100

/** Resolves when the condition holds. @param what is waited for, for who waits in vain */
export async function until(condition: () => boolean, what = String(condition), limit_ms = longest_ms): Promise<void> {
  const end = performance.now() + limit_ms
  for (let looks = 0; !condition(); looks++) {
    if (performance.now() > end) throw inVain(what, limit_ms)
    await (looks < close_looks ? nextRound() : pause(1))
  }
}

/** Asks again and again until the answer fits, with pauses that leave the machine to what is waited for. */
export async function untilAnswer<T>(
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
  what = String(fits),
  limit_ms = longest_ms,
): Promise<T> {
  const end = performance.now() + limit_ms
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return answer
    if (performance.now() > end) throw inVain(`${what}; the last answer was ${JSON.stringify(answer).slice(0, 500)}`, limit_ms)
    await pause(2)
  }
}
