/** Characters written in one round of the event loop, all readers that are behind together: about a millisecond's work. */
const round_chars = 256 * 1024

/** What a write costs beside its characters, as so many characters. */
const write_chars = 4 * 1024

/** Returns how many characters it worked on. */
type Run = () => number

/** One list for the process, as it has one event loop. Each round works it off in order, about so many characters of it. */
const waiting: Run[] = []

function round(): void {
  let count = 0
  for (let chars = 0; chars < round_chars && count < waiting.length; count++) chars += write_chars + (waiting[count]?.() ?? 0)
  waiting.splice(0, count)
  if (waiting.length > 0) setImmediate(round)
}

/**
 * Runs this in one of the next rounds of the event loop. Many that have much to write are spread over many rounds, so that whatever else
 * happens meanwhile, such as a token for a reader that keeps up, waits for a little of it and not for all.
 */
export function fairly(run: Run): void {
  if (waiting.push(run) === 1) setImmediate(round)
}
