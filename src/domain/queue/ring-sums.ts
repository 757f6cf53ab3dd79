/** Each cell sums this many cells of the level below, as a power of two. */
const bits = 5
const wide = 1 << bits
/** Weight of a slot that has no element. */
const nothing = -1

/**
 * Counts and weights of elements in the slots of a ring: how many there are from the head to a slot, how much the first of them weigh.
 * Weights are whole numbers and not negative, so that sums are exact.
 * Running sums in a tree of 32 children: put and take touch a cell on each of log32(slots) levels, a search reads at most 32 cells that lie
 * side by side on each. The cells near the head and the end of the ring stay in the cache; a binary tree has five times as many levels.
 */
export class RingSums {
  private readonly weights: Float64Array
  /** Levels one after the other, the lowest first; count and weight of a cell side by side. */
  private readonly cells: Float64Array
  private readonly starts: number[] = []
  private head: number
  private elements = 0
  private total = 0
  /** Count and weight of what is in slots before the head, where the ring has gone round. */
  private wrapped = 0
  private wrappedWeight = 0
  /** Weight of what the last search went past. */
  private passed = 0

  /** @param slots a power of two @param head slot of the head */
  constructor(slots: number, head = 0) {
    this.head = head
    this.weights = new Float64Array(slots).fill(nothing)
    let end = 0
    for (let cells = slots; cells > 1;) {
      cells = Math.ceil(cells / wide)
      this.starts.push(end)
      end += 2 * cells
    }
    this.cells = new Float64Array(end)
  }

  get count(): number {
    return this.elements
  }

  /** Of all elements. */
  get weight(): number {
    return this.total
  }

  /** Of the slot's element; negative where it has none. */
  weightAt(slot: number): number {
    return this.weights[slot] ?? nothing
  }

  /** Puts an element into an empty slot. */
  put(slot: number, weight: number): void {
    this.weights[slot] = weight
    this.add(slot, 1, weight)
  }

  /** Takes the slot's element out; returns its weight. */
  take(slot: number): number {
    const weight = this.weightAt(slot)
    this.weights[slot] = nothing
    this.add(slot, -1, -weight)
    return weight
  }

  /** Moves the head by one slot, over or onto an empty one. */
  advance(by: 1 | -1): void {
    const { length } = this.weights
    const head = (this.head + by) & (length - 1)
    if (by === 1 ? head === 0 : this.head === 0) {
      this.wrapped = by === 1 ? 0 : this.elements
      this.wrappedWeight = by === 1 ? 0 : this.total
    }
    this.head = head
  }

  /** Elements from the head to before the slot. */
  countBefore(slot: number): number {
    const count = this.countBelow(slot) - this.wrapped
    return slot < this.head ? count + this.elements : count
  }

  /** Slot of the element that has `rank` others before it, from the head. @param rank less than `count` */
  slotOf(rank: number): number {
    const below = rank + this.wrapped
    return this.find(below < this.elements ? below : below - this.elements)
  }

  /** Weight of the first `count` elements from the head. */
  weightOfFirst(count: number): number {
    if (count <= 0) return 0
    if (count >= this.elements) return this.total
    const below = count + this.wrapped
    const wraps = below >= this.elements
    this.find(wraps ? below - this.elements : below)
    return this.passed - this.wrappedWeight + (wraps ? this.total : 0)
  }

  /** Elements in slots of lower numbers. */
  private countBelow(slot: number): number {
    const { weights, cells, starts } = this
    let count = 0
    for (let i = slot & -wide; i < slot; i++) if ((weights[i] ?? nothing) >= 0) count++
    let cell = slot >> bits
    for (const start of starts) {
      for (let i = cell & -wide; i < cell; i++) count += cells[start + 2 * i] ?? 0
      cell >>= bits
    }
    return count
  }

  /** Slot of the element that has `rank` others in slots of lower numbers; leaves their weight in `passed`. */
  private find(rank: number): number {
    const { weights, cells, starts } = this
    let left = rank
    let passed = 0
    let i = 0
    for (let level = starts.length - 1; level >= 0; level--) {
      let at = (starts[level] ?? 0) + 2 * i
      for (let count = cells[at] ?? Infinity; count <= left; count = cells[at] ?? Infinity) {
        left -= count
        passed += cells[at + 1] ?? 0
        at += 2
        i++
      }
      i <<= bits
    }
    for (; i < weights.length; i++) {
      const weight = weights[i] ?? nothing
      if (weight < 0) continue
      if (left-- === 0) break
      passed += weight
    }
    this.passed = passed
    return i
  }

  private add(slot: number, count: 1 | -1, weight: number): void {
    const { cells, starts } = this
    this.elements += count
    this.total += weight
    if (slot < this.head) {
      this.wrapped += count
      this.wrappedWeight += weight
    }
    let cell = slot
    for (const start of starts) {
      cell >>= bits
      const at = start + 2 * cell
      cells[at] = (cells[at] ?? 0) + count
      cells[at + 1] = (cells[at + 1] ?? 0) + weight
    }
  }
}
