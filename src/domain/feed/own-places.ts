/** Where a task waits: how many start before it. */
export interface Placed<T> {
  readonly task: T
  readonly place: number
}

/** A key's own tasks among those that wait. */
export interface OwnPlaces<T> {
  readonly shown: T[]
  /** Handles of its tasks, and between them, as negative numbers, how many others wait there. */
  readonly first: number[]
  /** How many of those that wait come after the last one listed. */
  readonly behind: number
}

/**
 * The beginning of a queue as a key may see it, which learns of others only how many there are.
 * @param own in the order of their places
 * @param total all that wait
 */
export function ownPlaces<T>(own: readonly Placed<T>[], total: number, handleOf: (task: T) => number): OwnPlaces<T> {
  const shown: T[] = []
  const first: number[] = []
  let next = 0
  for (const { task, place } of own) {
    if (place > next) first.push(next - place)
    first.push(handleOf(task))
    shown.push(task)
    next = place + 1
  }
  return { shown, first, behind: Math.max(0, total - next) }
}
