/** Things by name, each with the tick it changed in; none of them ever goes. */
export class Board<T> {
  private readonly entries = new Map<string, { value: T; signature: string; tick: number }>()

  /**
   * Puts a thing in its place. Returns whether it is another than before.
   * @param signature two things with the same one are the same to a viewer
   */
  put(name: string, value: T, signature: string, tick: number): boolean {
    const before = this.entries.get(name)
    if (before === undefined) this.entries.set(name, { value, signature, tick })
    else if (before.signature === signature) return false
    else Object.assign(before, { value, signature, tick })
    return true
  }

  /** Things that have changed after a tick, in the order in which they first came. */
  since(tick: number): T[] {
    const changed: T[] = []
    for (const entry of this.entries.values()) if (entry.tick > tick) changed.push(entry.value)
    return changed
  }

  /** All of them. */
  all(): T[] {
    return this.since(-1)
  }
}
