import { Newest } from './newest.ts'

/** Things that have come and are remembered as such: who has had no others looks at no others. */
const most_came = 1024

/** Removals that are remembered. Who has seen none of them begins anew. */
const most_removals = 4096

/** What can be shown: it has a handle and remembers when it changed. */
export interface Showable {
  readonly h: number
  /** The tick it changed in. */
  readonly changed: number
}

/** What a viewer gets that has everything up to a tick. */
export interface Since<T> {
  /** New to the viewer. */
  readonly came: T[]
  /** The viewer has them, and they have changed. */
  readonly changed: T[]
  /** Handles of what is not shown any more; some of them the viewer may never have had. */
  readonly gone: number[]
}

/**
 * What viewers of one kind are shown. A viewer is nothing but a tick: it gets what has come, changed or gone after that, merged, however long
 * ago that is. Ticks are whole numbers that rise.
 */
export class Shown<T extends Showable> {
  /** The tick each came in. */
  private readonly entered = new Map<T, number>()
  private readonly came = new Newest<T>(most_came)
  private readonly handles = new Set<number>()
  private readonly removals: { readonly h: number; readonly tick: number }[] = []
  /** Where the next removal goes once there are as many as are remembered. */
  private oldest = 0
  /** Of the newest removal that is not remembered any more. */
  private forgotten = -1

  /** Shows a thing from this tick on; nothing where it is shown already. */
  show(thing: T, tick: number): void {
    if (this.entered.has(thing)) return
    this.entered.set(thing, tick)
    this.came.add(thing, tick)
    this.handles.add(thing.h)
  }

  /** Does not show it any more. */
  hide(thing: T, tick: number): void {
    if (!this.entered.delete(thing)) return
    this.handles.delete(thing.h)
    this.remember(thing.h, tick)
  }

  has(thing: T): boolean {
    return this.entered.has(thing)
  }

  /** All that is shown. */
  all(): Iterable<T> {
    return this.entered.keys()
  }

  /**
   * What has come, changed or gone after a tick; undefined where it is not known any more what has gone.
   * @param changed things that may have changed since, where that is known
   */
  since(tick: number, changed?: Iterable<T>): Since<T> | undefined {
    if (tick < this.forgotten) return undefined
    const known = changed === undefined || !this.came.reaches(tick) ? undefined : new Set([...this.came.since(tick), ...changed])
    const [news, others]: [T[], T[]] = [[], []]
    for (const thing of known ?? this.entered.keys()) {
      const entered = this.entered.get(thing)
      if (entered === undefined) continue
      if (entered > tick) news.push(thing)
      else if (thing.changed > tick) others.push(thing)
    }
    const gone = new Set<number>()
    // From the newest back: who reads on has all but a few.
    for (let back = 1; back <= this.removals.length; back++) {
      const removal = this.removals.at((this.oldest - back) % this.removals.length)
      if (removal === undefined || removal.tick <= tick) break
      if (!this.handles.has(removal.h)) gone.add(removal.h)
    }
    return { came: news, changed: others, gone: [...gone] }
  }

  private remember(h: number, tick: number): void {
    if (this.removals.length < most_removals) {
      this.removals.push({ h, tick })
      return
    }
    this.forgotten = this.removals[this.oldest]?.tick ?? tick
    this.removals[this.oldest] = { h, tick }
    this.oldest = (this.oldest + 1) % most_removals
  }
}
