/** Something with a deadline. The heap keeps its index in it so that removal needs no search. */
export interface Deadlined {
  /** Milliseconds since the epoch. */
  readonly deadline_at: number
  /** Index in the heap, -1 outside; only the heap writes it. */
  heap_index: number
}

/** Binary min-heap by deadline: push and remove O(log n), earliest O(1). */
export class DeadlineHeap<T extends Deadlined> {
  private readonly items: T[] = []

  get earliest(): T | undefined {
    return this.items[0]
  }

  push(item: T): void {
    this.items.push(item)
    this.up(this.items.length - 1, item)
  }

  /** Does nothing where the item is not in the heap. */
  remove(item: T): void {
    const index = item.heap_index
    if (index < 0) return
    item.heap_index = -1
    const last = this.items.pop()
    if (last === undefined || last === item) return
    this.down(this.up(index, last), last)
  }

  private up(start: number, item: T): number {
    let index = start
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = this.items[above]
      if (parent === undefined || parent.deadline_at <= item.deadline_at) break
      this.put(index, parent)
      index = above
    }
    this.put(index, item)
    return index
  }

  private down(start: number, item: T): void {
    let index = start
    for (;;) {
      const left = index * 2 + 1
      const a = this.items[left]
      const b = this.items[left + 1]
      const [below, child] = b !== undefined && a !== undefined && b.deadline_at < a.deadline_at ? [left + 1, b] : [left, a]
      if (child === undefined || child.deadline_at >= item.deadline_at) break
      this.put(index, child)
      index = below
    }
    this.put(index, item)
  }

  private put(index: number, item: T): void {
    this.items[index] = item
    item.heap_index = index
  }
}
