/** Things by their owner and their id. A text that names both would be put together anew for each look, and kept for each thing. */
export class OwnedMap<T> {
  private readonly owners = new Map<string, Map<string, T>>()
  private count = 0

  get size(): number {
    return this.count
  }

  get(owner: string, id: string): T | undefined {
    return this.owners.get(owner)?.get(id)
  }

  /** Takes the place of what has its name. */
  set(owner: string, id: string, thing: T): void {
    let own = this.owners.get(owner)
    if (own === undefined) this.owners.set(owner, (own = new Map<string, T>()))
    this.count -= own.size
    own.set(id, thing)
    this.count += own.size
  }

  /** Nothing where another has its name, which is told. */
  delete(owner: string, id: string, thing: T): boolean {
    const own = this.owners.get(owner)
    if (own?.get(id) !== thing) return false
    own.delete(id)
    this.count--
    if (own.size === 0) this.owners.delete(owner)
    return true
  }

  /** An owner's in the order in which they came, or everybody's, one owner after the other. */
  values(owner?: string): Iterable<T> {
    return owner === undefined ? this.everybodys() : (this.owners.get(owner)?.values() ?? [])
  }

  /** Things of an id, of every owner that has one. O(owners) */
  named(id: string): T[] {
    return [...this.owners.values()].flatMap((own) => own.get(id) ?? [])
  }

  private *everybodys(): Iterable<T> {
    for (const own of this.owners.values()) yield* own.values()
  }
}
