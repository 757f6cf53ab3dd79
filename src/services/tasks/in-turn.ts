/** Pieces of work begun in a round of the event loop at least, and the share of those that wait: no more are asked for than are worked off. */
const least = 4
const share = 1 / 16

/** Work that may wait for what is more urgent: a little of it in each round of the event loop, the oldest first. */
export class InTurn {
  private readonly waiting: (() => void)[] = []

  /** Begins the work in one of the next rounds, and has its result. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      if (this.waiting.push(() => resolve(work())) === 1) setImmediate(() => this.round())
    })
  }

  private round(): void {
    const now = this.waiting.splice(0, Math.max(least, Math.ceil(this.waiting.length * share)))
    if (this.waiting.length > 0) setImmediate(() => this.round())
    for (const begin of now) begin()
  }
}
