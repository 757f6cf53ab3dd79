/** The newest things, each with the tick it came in; older ones are forgotten. */
export class Newest<T> {
  private readonly most: number
  private things: { readonly thing: T; readonly tick: number }[] = []
  /** The tick of the newest that is forgotten. */
  private forgotten = -Infinity

  constructor(most: number) {
    this.most = most
  }

  add(thing: T, tick: number): void {
    this.things.push({ thing, tick })
    // Every so often, and not for each.
    if (this.things.length <= 2 * this.most) return
    this.forgotten = this.things.at(-this.most - 1)?.tick ?? tick
    this.things = this.things.slice(-this.most)
  }

  /** Whether all that came after a tick are remembered. */
  reaches(tick: number): boolean {
    const { things, most } = this
    return tick >= (things.length > most ? (things.at(-most - 1)?.tick ?? 0) : this.forgotten)
  }

  /** Those that came after a tick, the newest last. */
  since(tick: number): T[] {
    const { things, most } = this
    let first = things.length
    const oldest = Math.max(0, first - most)
    while (first > oldest && (things[first - 1]?.tick ?? 0) > tick) first--
    return things.slice(first).map(({ thing }) => thing)
  }
}
