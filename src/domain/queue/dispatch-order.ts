/** Most tasks of a class that are looked at for one that can go now. */
export const mostPassed = 64

/**
 * Two classes in the order in which they are dispatched if nobody else comes: interactive first, and one in `batch_every` from batch.
 * @param passed interactive dispatches in a row so far while batch work waited
 */
export function* dispatchOrder<T>(interactive: Iterable<T>, batch: Iterable<T>, batch_every: number, passed: number): Generator<T> {
  const [first, second] = [interactive[Symbol.iterator](), batch[Symbol.iterator]()]
  let [a, b] = [first.next(), second.next()]
  for (let row = passed; a.done !== true || b.done !== true;) {
    if (a.done !== true && (b.done === true || row + 1 < batch_every)) {
      yield a.value
      row = b.done === true ? 0 : row + 1
      a = first.next()
    } else if (b.done !== true) {
      yield b.value
      row = 0
      b = second.next()
    }
  }
}
