/** Slots that one cell of the tree stands for, as a power of two. */
const bits = 5
const wide = 1 << bits
/** Weight of a slot that has no element. */
const nothing = -1

/**
 * Counts and weights of elements in the slots of a ring: how many there are from the head to a slot, how much the first of them weigh.
 * Weights are whole numbers and not negative, so that sums are exact.
 * A Fenwick tree (Fenwick 1994, A new data structure for cumulative frequency tables) over blocks of 32 slots, whose weights lie side by side.
 * Every command is O(log slots).
 */
export class RingSums {
  private readonly weights: Float64Array
  /** Cell `i` sums the `i & -i` blocks before block `i`; count and weight of a cell side by side. */
  private readonly cells: Float64Array
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
    this.cells = new Float64Array(2 * Math.ceil(slots / wide) + 2)
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
    const { weights, cells } = this
    let count = 0
    for (let i = slot & -wide; i < slot; i++) if ((weights[i] ?? nothing) >= 0) count++
    for (let cell = slot >> bits; cell > 0; cell &= cell - 1) count += cells[2 * cell] ?? 0
    return count
  }

  /** Slot of the element that has `rank` others in slots of lower numbers; leaves their weight in `passed`. */
  private find(rank: number): number {
    const { weights, cells } = this
    let left = rank
    let passed = 0
    let block = 0
    for (let step = weights.length >> bits; step > 0; step >>= 1) {
      const at = 2 * (block + step)
      const count = cells[at] ?? Infinity
      if (count > left) continue
      left -= count
      passed += cells[at + 1] ?? 0
      block += step
    }
    let slot = block << bits
    for (; slot < weights.length; slot++) {
      const weight = weights[slot] ?? nothing
      if (weight < 0) continue
      if (left-- === 0) break
      passed += weight
    }
    this.passed = passed
    return slot
  }

  private add(slot: number, count: 1 | -1, weight: number): void {
    const { cells } = this
    this.elements += count
    this.total += weight
    if (slot < this.head) {
      this.wrapped += count
      this.wrappedWeight += weight
    }
    for (let cell = (slot >> bits) + 1; 2 * cell < cells.length; cell += cell & -cell) {
      cells[2 * cell] = (cells[2 * cell] ?? 0) + count
      cells[2 * cell + 1] = (cells[2 * cell + 1] ?? 0) + weight
    }
  }
}
