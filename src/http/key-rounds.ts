/** Returns how much it worked on. */
type Run = () => number

/**
 * Work for keys, of which each round of the event loop does so much and leaves the rest of the round to everybody else. Keys come
 * one after the other (deficit round robin, after Shreedhar and Varghese 1995): one with much work waits for itself. What is worked on at once
 * beyond a round's share is paid by rounds without any: where nobody else has anything to do, they take no time.
 */
export class KeyRounds {
  private readonly share: number
  /** By key, who is next first. */
  private readonly waiting = new Map<string, Run[]>()
  /** What may be worked on before the next round; below zero, what is still to be paid. */
  private credit: number
  private going = false

  /** @param share worked on in each round of the event loop: bytes, requests, whatever is counted */
  constructor(share: number) {
    this.share = share
    this.credit = share
  }

  /** Runs this in one of the next rounds, behind what the key has asked for before. */
  ask(key: string, run: Run): void {
    const own = this.waiting.get(key)
    if (own === undefined) this.waiting.set(key, [run])
    else own.push(run)
    this.go()
  }

  /** Resolves when the key is next, for something that works on so much at once. */
  wait(key: string, size: number): Promise<void> {
    return new Promise((resolve) =>
      this.ask(key, () => {
        resolve()
        return size
      }),
    )
  }

  /** The same at once where this round has not had its share. */
  async enter(key: string, size: number): Promise<void> {
    if (this.waiting.size > 0 || this.credit <= 0) return this.wait(key, size)
    this.credit -= size
    this.go()
  }

  private go(): void {
    if (this.going) return
    this.going = true
    setImmediate(() => this.round())
  }

  private round(): void {
    this.credit = Math.min(this.credit + this.share, this.share)
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
