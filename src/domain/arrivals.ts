import { firstFrom } from './ascending.ts'

/**
 * Things by the number of their arrival, to be listed newest first from any number on. To come, to go and to begin a list cost O(log n), amortised;
 * a list costs what is taken of it.
 */
export class Arrivals<T> {
  private numbers: number[] = []
  private items: (T | undefined)[] = []
  private gone = 0

  get size(): number {
    return this.numbers.length - this.gone
  }

  /** @param number higher than that of everything that has come before */
  add(number: number, item: T): void {
    this.numbers.push(number)
    this.items.push(item)
  }

  /** Nothing happens where it is not there. */
  remove(number: number): void {
    const index = firstFrom(this.numbers, number)
    if (this.numbers[index] !== number || this.items[index] === undefined) return
    this.items[index] = undefined
    this.gone++
    if (this.gone * 2 > this.numbers.length) this.compact()
  }

  /** Those that came before a number, newest first; nothing may come or go meanwhile. */
  *before(number = Infinity): Iterable<T> {
    for (let index = firstFrom(this.numbers, number) - 1; index >= 0; index--) {
      const item = this.items[index]
      if (item !== undefined) yield item
    }
  }

  private compact(): void {
    this.numbers = this.numbers.filter((_, index) => this.items[index] !== undefined)
    this.items = this.items.filter((item) => item !== undefined)
    this.gone = 0
  }
}
