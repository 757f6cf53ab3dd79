/** What a RankedQueue keeps in its elements, so that finding one needs no search. Only the queue writes slot and hidden. */
export interface Ranked {
  readonly weight: number
  /** Index in the queue's slots; changes when the queue is compacted. */
  slot: number
  hidden: boolean
}

/**
 * FIFO queue that knows, for each element, how many are ahead and how much they weigh.
 * push, remove, hide, show, ahead, weightOfFirst: O(log n), amortised over compactions. first: O(1 + hidden or unfit at the head).
 * Two Fenwick trees over the slots (P. Fenwick, 1994), one of counts and one of weights.
 */
export class RankedQueue<T extends Ranked> {
  private slots: (T | undefined)[]
  private counts: Float64Array
  private weights: Float64Array
  private head = 0
  private tail = 0
  private present = 0
  private visible = 0
  private total = 0

  constructor(initialSlots = 64) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, initialSlots)))
    this.slots = new Array<T | undefined>(size)
    this.counts = new Float64Array(size + 1)
    this.weights = new Float64Array(size + 1)
  }

  /** Elements that are not hidden. */
  get size(): number {
    return this.visible
  }

  /** Weight of all elements that are not hidden. */
  get weight(): number {
    return this.visible === 0 ? 0 : Math.max(0, this.total)
  }

  push(element: T): void {
    if (this.tail === this.slots.length) this.compact()
    element.slot = this.tail++
    element.hidden = false
    this.slots[element.slot] = element
    this.present++
    this.add(element, 1)
  }

  remove(element: T): void {
    if (!element.hidden) this.add(element, -1)
    this.slots[element.slot] = undefined
    this.present--
  }

  /** Takes the element out of sight but keeps its place for `show`. */
  hide(element: T): void {
    if (element.hidden) return
    this.add(element, -1)
    element.hidden = true
  }

  show(element: T): void {
    if (!element.hidden) return
    element.hidden = false
    this.add(element, 1)
  }

  /** The oldest element that is not hidden, or the oldest of those that fit. */
  first(fits: (element: T) => boolean = () => true): T | undefined {
    while (this.head < this.tail && this.slots[this.head] === undefined) this.head++
    for (let slot = this.head; slot < this.tail; slot++) {
      const element = this.slots[slot]
      if (element !== undefined && !element.hidden && fits(element)) return element
    }
    return undefined
  }

  /** All elements in order, hidden ones included. */
  *all(): Iterable<T> {
    for (let slot = this.head; slot < this.tail; slot++) {
      const element = this.slots[slot]
      if (element !== undefined) yield element
    }
  }

  /** How many elements are ahead of this one. */
  ahead(element: T): number {
    return prefix(this.counts, element.slot)
  }

  /** Weight of the first `count` elements. */
  weightOfFirst(count: number): number {
    if (count >= this.visible) return this.weight
    let slot = 0
    let left = count
    let sum = 0
    for (let step = this.slots.length; step > 0; step >>= 1) {
      const next = slot + step
      const inside = this.counts[next]
      if (inside !== undefined && inside <= left) {
        slot = next
        left -= inside
        sum += this.weights[next] ?? 0
      }
    }
    return Math.max(0, sum)
  }

  private add(element: T, sign: 1 | -1): void {
    this.visible += sign
    this.total += sign * element.weight
    for (let i = element.slot + 1; i < this.counts.length; i += i & -i) {
      this.counts[i] = (this.counts[i] ?? 0) + sign
      this.weights[i] = (this.weights[i] ?? 0) + sign * element.weight
    }
  }

  /** Moves the elements to the front, into twice the room if they need it; O(n) after at least n/2 pushes. */
  private compact(): void {
    const elements = this.slots.slice(this.head, this.tail).filter((element) => element !== undefined)
    const size = this.present * 2 > this.slots.length ? this.slots.length * 2 : this.slots.length
    this.slots = new Array<T | undefined>(size)
    this.counts = new Float64Array(size + 1)
    this.weights = new Float64Array(size + 1)
    this.head = 0
    this.tail = elements.length
    this.total = 0
    elements.forEach((element, slot) => {
      element.slot = slot
      this.slots[slot] = element
      if (element.hidden) return
      this.counts[slot + 1] = 1
      this.weights[slot + 1] = element.weight
      this.total += element.weight
    })
    for (let i = 1; i <= size; i++) {
      const parent = i + (i & -i)
      if (parent > size) continue
      this.counts[parent] = (this.counts[parent] ?? 0) + (this.counts[i] ?? 0)
      this.weights[parent] = (this.weights[parent] ?? 0) + (this.weights[i] ?? 0)
    }
  }
}

/** Sum over slots 0 .. end - 1. */
function prefix(tree: Float64Array, end: number): number {
  let sum = 0
  for (let i = end; i > 0; i -= i & -i) sum += tree[i] ?? 0
  return sum
}
