/** Runs what concerns one key one after another, in order of arrival; different keys do not wait for each other. */
export class KeyedMutex {
  private readonly newest = new Map<string, Promise<unknown>>()

  /** Runs it when everything before it for this key has settled. */
  async run<T>(key: string, what: () => Promise<T>): Promise<T> {
    const done = (this.newest.get(key) ?? Promise.resolve()).then(what)
    const settled = done.catch(() => undefined)
    this.newest.set(key, settled)
    try {
      return await done
    } finally {
      if (this.newest.get(key) === settled) this.newest.delete(key)
    }
  }
}
