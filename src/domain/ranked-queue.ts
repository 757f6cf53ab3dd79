/** What a RankedQueue keeps in its elements, so that finding one needs no search. Only the queue writes them. */
export interface Ranked {
  /** Index in the queue's ring; changes when the ring is made anew. */
  slot: number
  hidden: boolean
}

/**
 * FIFO queue that knows, for each element, how many are ahead and how much they weigh. Weights are whole numbers, so that sums are exact
 * however long the queue lives.
 * first, push, remove, hide, show, ahead, weightOfFirst: O(log n), push and remove amortised over new rings. As long as elements leave
 * about where they came from, the front, the ring goes round and is never made anew.
 * A Fenwick tree over the slots of the ring (P. Fenwick, 1994); count and weight lie side by side, for one cache miss a step.
 */
export class RankedQueue<T extends Ranked> {
  private readonly fewest: number
  private slots: (T | undefined)[] = []
  private weights = new Float64Array()
  /** Cell i is at 2i (count) and 2i + 1 (weight). */
  private tree = new Float64Array()
  /** Slot of the oldest element, hidden or not. */
  private head = 0
  /** Slots from the oldest to the newest element, holes included. */
  private span = 0
  private present = 0
  private visible = 0
  private total = 0

  constructor(fewestSlots = 64) {
    this.fewest = fewestSlots
    this.renew()
  }

  /** Elements that are not hidden. */
  get size(): number {
    return this.visible
  }

  /** Weight of all elements that are not hidden. */
  get weight(): number {
    return this.total
  }

  /** @param weight a whole number */
  push(element: T, weight: number): void {
    if (this.span === this.slots.length) this.renew()
    element.slot = this.at(this.span++)
    element.hidden = false
    this.slots[element.slot] = element
    this.weights[element.slot] = weight
    this.present++
    this.add(element.slot, 1)
  }

  remove(element: T): void {
    if (!element.hidden) this.add(element.slot, -1)
    this.slots[element.slot] = undefined
    this.present--
    while (this.span > 0 && this.slots[this.head] === undefined) {
      this.head = this.at(1)
      this.span--
    }
    while (this.span > 0 && this.slots[this.at(this.span - 1)] === undefined) this.span--
    if (this.slots.length > this.fewest && this.span * 8 < this.slots.length) this.renew()
  }

  /** Takes the element out of sight but keeps its place for `show`. */
  hide(element: T): void {
    if (element.hidden) return
    this.add(element.slot, -1)
    element.hidden = true
  }

  show(element: T): void {
    if (!element.hidden) return
    element.hidden = false
    this.add(element.slot, 1)
  }

  /** The oldest element that is not hidden. */
  first(): T | undefined {
    const oldest = this.slots[this.head]
    if (oldest?.hidden !== true) return oldest
    if (this.visible === 0) return undefined
    const before = this.sum(this.head, 0)
    return this.slots[this.select(before < this.visible ? before : 0)]
  }

  /** All elements in order, hidden ones included. */
  *all(): Iterable<T> {
    for (let i = 0; i < this.span; i++) {
      const element = this.slots[this.at(i)]
      if (element !== undefined) yield element
    }
  }

  /** How many elements are ahead of this one. */
  ahead({ slot }: T): number {
    const count = this.sum(slot, 0) - this.sum(this.head, 0)
    return slot < this.head ? count + this.visible : count
  }

  /** Weight of the first `count` elements. */
  weightOfFirst(count: number): number {
    if (count <= 0) return 0
    if (count >= this.visible) return this.total
    const rank = count + this.sum(this.head, 0)
    const wraps = rank >= this.visible
    const sum = this.sum(this.select(wraps ? rank - this.visible : rank), 1) - this.sum(this.head, 1)
    return wraps ? sum + this.total : sum
  }

  /** Slot of the i-th place from the head. */
  private at(i: number): number {
    return (this.head + i) & (this.slots.length - 1)
  }

  /** Counts (field 0) or weights (field 1) of slots 0 .. end - 1. */
  private sum(end: number, field: 0 | 1): number {
    const { tree } = this
    let sum = 0
    for (let i = end; i > 0; i &= i - 1) sum += tree[2 * i + field] ?? 0
    return sum
  }

  /** Slot of the element that has `rank` others in the slots before its own. */
  private select(rank: number): number {
    const { tree } = this
    let slot = 0
    let left = rank
    for (let step = this.slots.length >> 1; step > 0; step >>= 1) {
      const inside = tree[2 * (slot + step)] ?? 0
      if (inside > left) continue
      slot += step
      left -= inside
    }
    return slot
  }

  private add(slot: number, sign: 1 | -1): void {
    const { tree } = this
    const weight = sign * (this.weights[slot] ?? 0)
    this.visible += sign
    this.total += weight
    for (let cell = 2 * (slot + 1); cell < tree.length; cell += cell & -cell) {
      tree[cell] = (tree[cell] ?? 0) + sign
      tree[cell + 1] = (tree[cell + 1] ?? 0) + weight
    }
  }

  /**
   * Moves the elements to the front of a new ring with room for twice as many. O(slots), and from then on at least an eighth as many pushes
   * or removals go by before the next.
   */
  private renew(): void {
    const { slots, weights, head, span } = this
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, this.fewest, this.present * 2)))
    this.slots = new Array<T | undefined>(size).fill(undefined)
    this.weights = new Float64Array(size)
    this.tree = new Float64Array(2 * (size + 1))
    this.head = 0
    this.span = 0
    for (let i = 0; i < span; i++) {
      const slot = (head + i) & (slots.length - 1)
      const element = slots[slot]
      if (element === undefined) continue
      const weight = weights[slot] ?? 0
      element.slot = this.span++
      this.slots[element.slot] = element
      this.weights[element.slot] = weight
      if (element.hidden) continue
      this.tree[2 * this.span] = 1
      this.tree[2 * this.span + 1] = weight
    }
    for (let cell = 2; cell < this.tree.length; cell += 2) {
      const parent = cell + (cell & -cell)
      if (parent >= this.tree.length) continue
      this.tree[parent] = (this.tree[parent] ?? 0) + (this.tree[cell] ?? 0)
      this.tree[parent + 1] = (this.tree[parent + 1] ?? 0) + (this.tree[cell + 1] ?? 0)
    }
  }
}
