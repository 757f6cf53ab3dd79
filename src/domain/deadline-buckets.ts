/** Items whose deadlines fall into the same stretch of time, in no order. */
export interface Bucket<T> {
  readonly tick: number
  readonly items: T[]
}

/** Something with a deadline. The buckets keep its place in it so that removal needs no search. */
export interface Deadlined<T> {
  /** `deadline_at`: milliseconds since the epoch. */
  readonly task: { readonly deadline_at: number }
  /** Where it is; undefined outside. Only the buckets write these two. */
  bucket: Bucket<T> | undefined
  bucket_index: number
}

/** What one bucket spans, ms: about how often somebody asks what is due. */
const width_ms = 256

/**
 * Finds what is due. push, remove: O(1) in a bucket that exists, O(log buckets) amortised
 * in a new one. due: O(what is due and the bucket
 * that `now` falls into), sorted. A binary heap of the items would miss the cache at every step of every removal.
 */
export class DeadlineBuckets<T extends Deadlined<T>> {
  private buckets = new Map<number, Bucket<T>>()
  /** Binary min-heap of the buckets' ticks. Buckets that are gone leave theirs behind until they are the larger part. */
  private ticks: number[] = []

  /** Does nothing where the item is in already. */
  push(item: T): void {
    if (item.bucket !== undefined) return
    const tick = Math.floor(item.task.deadline_at / width_ms)
    let bucket = this.buckets.get(tick)
    if (bucket === undefined) {
      bucket = { tick, items: [] }
      this.buckets.set(tick, bucket)
      this.pushTick(tick)
    }
    item.bucket = bucket
    item.bucket_index = bucket.items.push(item) - 1
  }

  /** Does nothing where the item is not in. */
  remove(item: T): void {
    const { bucket } = item
    if (bucket === undefined) return
    item.bucket = undefined
    const last = bucket.items.pop()
    if (last !== undefined && last !== item) {
      last.bucket_index = item.bucket_index
      bucket.items[item.bucket_index] = last
    }
    if (bucket.items.length === 0) this.buckets.delete(bucket.tick)
  }

  /** Items whose deadline is not after `now` (ms since the epoch), earliest first. */
  due(now: number): T[] {
    for (let tick = this.ticks[0]; tick !== undefined && !this.buckets.has(tick); tick = this.ticks[0]) this.popTick()
    const found = new Set<Bucket<T>>()
    const look = [0]
    for (let index = look.pop(); index !== undefined; index = look.pop()) {
      const tick = this.ticks[index]
      if (tick === undefined || tick * width_ms > now) continue
      const bucket = this.buckets.get(tick)
      if (bucket !== undefined) found.add(bucket)
      look.push(2 * index + 1, 2 * index + 2)
    }
    const due: T[] = []
    for (const { items } of found) for (const item of items) if (item.task.deadline_at <= now) due.push(item)
    return due.sort((a, b) => a.task.deadline_at - b.task.deadline_at)
  }

  private pushTick(tick: number): void {
    if (this.ticks.length > 2 * this.buckets.size + 16) {
      // Sorted, as a heap may be; the new bucket is among them.
      this.ticks = [...this.buckets.keys()].sort((a, b) => a - b)
      return
    }
    let index = this.ticks.length
    for (let above = (index - 1) >> 1; index > 0; above = (index - 1) >> 1) {
      const parent = this.ticks[above] ?? -Infinity
      if (parent <= tick) break
      this.ticks[index] = parent
      index = above
    }
    this.ticks[index] = tick
  }

  private popTick(): void {
    const { ticks } = this
    const last = ticks.pop()
    if (last === undefined || ticks.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const below = (ticks[left + 1] ?? Infinity) < (ticks[left] ?? Infinity) ? left + 1 : left
      const child = ticks[below] ?? Infinity
      if (child >= last) break
      ticks[index] = child
      index = below
    }
    ticks[index] = last
  }
}
