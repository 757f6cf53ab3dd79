/** What has a place in a queue, by tickets; some have nothing. */
interface Places {
  readonly from: number
  readonly to: number
  at(ticket: number): { readonly owner: string } | undefined
}

/** How many there are of each owner. One that has none keeps its place: owners are keys of the configuration, and come again. */
export class OwnerCounts implements Iterable<readonly [owner: string, count: number]> {
  private readonly counts = new Map<string, { count: number }>()

  /** All that are in these queues. */
  static in(queues: readonly Places[]): OwnerCounts {
    const counts = new OwnerCounts()
    for (const queue of queues)
      for (let ticket = queue.from; ticket < queue.to; ticket++) {
        const owner = queue.at(ticket)?.owner
        if (owner !== undefined) counts.add(owner)
      }
    return counts
  }

  of(owner: string): number {
    return this.counts.get(owner)?.count ?? 0
  }

  /** Those that have any. */
  *[Symbol.iterator](): Iterator<readonly [owner: string, count: number]> {
    for (const [owner, { count }] of this.counts) if (count > 0) yield [owner, count]
  }

  add(owner: string): void {
    const own = this.counts.get(owner)
    if (own === undefined) this.counts.set(owner, { count: 1 })
    else own.count++
  }

  /** One that was added is gone. */
  take(owner: string): void {
    const own = this.counts.get(owner)
    if (own !== undefined) own.count--
  }
}
