/** How many there are of each owner. */
export class OwnerCounts {
  private readonly counts = new Map<string, number>()

  /** Owners that have any, and how many. */
  get all(): ReadonlyMap<string, number> {
    return this.counts
  }

  add(owner: string): void {
    this.counts.set(owner, (this.counts.get(owner) ?? 0) + 1)
  }

  /** One that was added is gone. */
  take(owner: string): void {
    const left = (this.counts.get(owner) ?? 0) - 1
    if (left > 0) this.counts.set(owner, left)
    else this.counts.delete(owner)
  }
}
