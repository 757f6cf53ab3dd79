/**
 * A bounded map that keeps what was set lately: the newest half of `capacity` entries at least, all of them at most. Two generations stand in
 * for the order of use: the older one is dropped as a whole when the newer one is full. Every command is O(1).
 */
export class Recent<K, V> {
  private half = 1
  private newer = new Map<K, V>()
  private older: ReadonlyMap<K, V> = new Map<K, V>()

  /** @param capacity most entries, at least 2 */
  constructor(capacity: number) {
    this.resize(capacity)
  }

  /** Has another capacity from now on; what is too much is dropped as others come. */
  resize(capacity: number): void {
    this.half = Math.max(1, Math.floor(capacity / 2))
  }

  /** Entries there are, at most; those that are in both generations count twice. */
  get size(): number {
    return this.newer.size + this.older.size
  }

  get(key: K): V | undefined {
    return this.newer.get(key) ?? this.older.get(key)
  }

  set(key: K, value: V): void {
    if (this.newer.size >= this.half && !this.newer.has(key)) {
      this.older = this.newer
      this.newer = new Map()
    }
    this.newer.set(key, value)
  }
}
