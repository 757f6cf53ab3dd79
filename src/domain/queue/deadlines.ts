/** Slots, as a power of two, of which the earliest deadline is kept. */
const blockBits = 8

/**
 * Deadlines by slot. put, clear: O(1). due, soonest: O(slots / 256), and 256 for each block of slots that has something due or had it since it was
 * last looked at. A heap or a wheel would have to be told, and touch cold memory, whenever a task leaves.
 */
export class Deadlines {
  private readonly deadlines: Float64Array
  /** No deadline in the block is before this; it may be that of a slot that has been cleared. */
  private readonly earliest: Float64Array

  constructor(slots: number) {
    this.deadlines = new Float64Array(slots).fill(Infinity)
    this.earliest = new Float64Array(Math.ceil(slots / 2 ** blockBits)).fill(Infinity)
  }

  at(slot: number): number {
    return this.deadlines[slot] ?? Infinity
  }

  /** @param deadline_at milliseconds since the epoch */
  put(slot: number, deadline_at: number): void {
    this.deadlines[slot] = deadline_at
    const block = slot >> blockBits
    if (deadline_at < (this.earliest[block] ?? Infinity)) this.earliest[block] = deadline_at
  }

  clear(slot: number): void {
    this.deadlines[slot] = Infinity
  }

  /** Slots whose deadline is not after `now` (ms since the epoch), in no order. */
  due(now: number): number[] {
    const { deadlines, earliest } = this
    const due: number[] = []
    for (let block = 0; block < earliest.length; block++) {
      if ((earliest[block] ?? Infinity) > now) continue
      let next = Infinity
      const end = Math.min(deadlines.length, (block + 1) << blockBits)
      for (let slot = block << blockBits; slot < end; slot++) {
        const deadline_at = deadlines[slot] ?? Infinity
        if (deadline_at < next) next = deadline_at
        if (deadline_at <= now && deadline_at < Infinity) due.push(slot)
      }
      earliest[block] = next
    }
    return due
  }

  /** The slot with the earliest deadline; undefined where there is none. O(slots / 256), and 256 for each block of which the earliest has been cleared. */
  soonest(): number | undefined {
    for (;;) {
      let first = 0
      for (let block = 1; block < this.earliest.length; block++)
        if ((this.earliest[block] ?? Infinity) < (this.earliest[first] ?? Infinity)) first = block
      const believed = this.earliest[first] ?? Infinity
      if (believed === Infinity) return undefined
      let slot = first << blockBits
      const end = Math.min(this.deadlines.length, (first + 1) << blockBits)
      for (let other = slot + 1; other < end; other++) if (this.at(other) < this.at(slot)) slot = other
      this.earliest[first] = this.at(slot)
      if (this.at(slot) === believed) return slot
    }
  }
}
