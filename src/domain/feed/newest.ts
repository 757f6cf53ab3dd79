/** The newest things, each with the tick it came in; older ones are forgotten. */
export class Newest<T> {
  private readonly most: number
  private things: { readonly thing: T; readonly tick: number }[] = []

  constructor(most: number) {
    this.most = most
  }

  add(thing: T, tick: number): void {
    this.things.push({ thing, tick })
    // Every so often, and not for each.
    if (this.things.length > 2 * this.most) this.things = this.things.slice(-this.most)
  }

  /** Those that came after a tick, the newest last. */
  since(tick: number): T[] {
    const newest = this.things.slice(-this.most)
    const first = newest.findIndex((one) => one.tick > tick)
    return first < 0 ? [] : newest.slice(first).map(({ thing }) => thing)
  }
}
