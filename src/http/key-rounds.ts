/** Returns how many bytes it worked on. */
type Run = () => number

/**
 * Work on large bodies, of which each round of the event loop does so much and leaves the rest of the round to everybody else. Keys come
 * one after the other (deficit round robin, after Shreedhar and Varghese 1995): one with many bodies waits for itself. What is worked on at once
 * beyond a round's share is paid by rounds without any: where nobody else has anything to do, they take no time.
 */
export class KeyRounds {
  private readonly round_bytes: number
  /** By key, who is next first. */
  private readonly waiting = new Map<string, Run[]>()
  /** What may be worked on before the next round, bytes; below zero, what is still to be paid. */
  private credit = 0
  private going = false

  /** @param round_bytes worked on in each round of the event loop */
  constructor(round_bytes: number) {
    this.round_bytes = round_bytes
  }

  /** Runs this in one of the next rounds, behind what the key has asked for before. */
  ask(key: string, run: Run): void {
    const own = this.waiting.get(key)
    if (own === undefined) this.waiting.set(key, [run])
    else own.push(run)
    if (this.going) return
    this.going = true
    setImmediate(() => this.round())
  }

  /** Resolves when the key is next, for something that works on so many bytes at once. */
  wait(key: string, bytes: number): Promise<void> {
    return new Promise((resolve) =>
      this.ask(key, () => {
        resolve()
        return bytes
      }),
    )
  }

  private round(): void {
    this.credit = Math.min(this.credit + this.round_bytes, this.round_bytes)
    while (this.credit > 0) {
      const next = this.next()
      if (next === undefined) break
      this.credit -= next()
    }
    this.going = this.waiting.size > 0 || this.credit <= 0
    if (this.going) setImmediate(() => this.round())
  }

  private next(): Run | undefined {
    for (const [key, own] of this.waiting) {
      const run = own.shift()
      // The key stands behind the others now.
      this.waiting.delete(key)
      if (own.length > 0) this.waiting.set(key, own)
      return run
    }
    return undefined
  }
}
