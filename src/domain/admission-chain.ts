/** An element's place in a chain. */
export interface Link<T> {
  readonly element: T
  /** Order of admission. */
  readonly order: number
  before: Link<T> | undefined
  after: Link<T> | undefined
}

/** Elements in order of admission, whatever the order they come in: oldest O(1), remove O(1). */
export class AdmissionChain<T> {
  private first: Link<T> | undefined
  private last: Link<T> | undefined

  get oldest(): T | undefined {
    return this.first?.element
  }

  /** Adds one that is among the newest: O(1 + those that were admitted after it). */
  add(element: T, order: number): Link<T> {
    let before = this.last
    while (before !== undefined && before.order > order) before = before.before
    return this.insert(element, order, before, before === undefined ? this.first : before.after)
  }

  /** Adds one that is among the oldest: O(1 + those that were admitted before it). */
  putBack(element: T, order: number): Link<T> {
    let after = this.first
    while (after !== undefined && after.order < order) after = after.after
    return this.insert(element, order, after === undefined ? this.last : after.before, after)
  }

  remove({ before, after }: Link<T>): void {
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.last = before
    else after.before = before
  }

  private insert(element: T, order: number, before: Link<T> | undefined, after: Link<T> | undefined): Link<T> {
    const link: Link<T> = { element, order, before, after }
    if (before === undefined) this.first = link
    else before.after = link
    if (after === undefined) this.last = link
    else after.before = link
    return link
  }
}
