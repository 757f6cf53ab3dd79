import type { Priority } from '../task.ts'

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

/**
 * How many of the other class go before a task, as long as there are any: the same rule, solved for a whole queue.
 * @param rank tasks of its own class that are ahead of it
 */
export function passingBefore(priority: Priority, rank: number, batch_every: number, passed: number): number {
  const until = Math.max(0, batch_every - 1 - passed)
  if (priority === 'batch') return until + rank * (batch_every - 1)
  if (batch_every === 1) return Infinity
  return rank < until ? 0 : 1 + Math.floor((rank - until) / (batch_every - 1))
}
