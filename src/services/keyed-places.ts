/** Lets a number of things of each key go on at a time; what is one too many waits in order of arrival, and different keys do not wait for each other. */
export class KeyedPlaces {
  private readonly most: number
  private readonly keys = new Map<string, { busy: number; readonly waiting: (() => void)[] }>()

  /** @param most things of one key that go on at once */
  constructor(most: number) {
    this.most = most
  }

  /** Runs it when its key has a place. */
  async run<T>(key: string, what: () => Promise<T>): Promise<T> {
    const places = this.keys.get(key) ?? { busy: 0, waiting: [] }
    this.keys.set(key, places)
    if (places.busy < this.most) places.busy++
    else await new Promise<void>((enter) => places.waiting.push(enter))
    try {
      return await what()
    } finally {
      // Whoever is next takes the place over.
      const next = places.waiting.shift()
      if (next !== undefined) next()
      else if (--places.busy === 0) this.keys.delete(key)
    }
  }
}
