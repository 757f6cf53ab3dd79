/** What waits for its turn, in order. One list for the process, as it has one event loop. */
const waiting: (() => void)[] = []

/** Runs this in a turn of the event loop that it has to share with nothing else that was given here: long work waits, short work does not. */
export function inTurn(run: () => void): void {
  if (waiting.push(run) === 1) setImmediate(next)
}

function next(): void {
  const run = waiting.shift()
  if (waiting.length > 0) setImmediate(next)
  run?.()
}
