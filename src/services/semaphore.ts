/** Lets a number of tasks through at a time; the others wait in order of arrival. */
export class Semaphore {
  private free: number
  private readonly waiting: (() => void)[] = []

  /** @param places tasks that run at once */
  constructor(places: number) {
    this.free = places
  }

  /** Runs the task when a place is free; rejects with the signal's reason where that aborts before. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    if (this.free > 0) this.free--
    else await this.place(signal)
    try {
      return await task()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.free++
      else next()
    }
  }

  private place(signal: AbortSignal): Promise<void> {
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
