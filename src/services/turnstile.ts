/** Lets a number of tasks through at a time; the others wait in order of arrival. */
export class Turnstile {
  private free: number
  private readonly waiting: (() => void)[] = []

  /** @param places tasks that run at once */
  constructor(places: number) {
    this.free = places
  }

  /** Runs the task when it is its turn; rejects with the signal's reason where that aborts before. */
  async pass<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    if (this.free > 0) this.free--
    else await this.turn(signal)
    try {
      return await run()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.free++
      else next()
    }
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(enter), 1)
        reject(signal.reason as Error)
      }
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      this.waiting.push(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
