import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { KeyRounds } from './key-rounds.ts'

/** Bodies up to this are read as they come, bytes. */
const large = 64 * 1024

/** Bytes of large bodies that are worked on in a round of the event loop: about a millisecond's work. */
const round_bytes = 128 * 1024

/**
 * Requests that are taken in a round of the event loop: some milliseconds' work. Where a thousand come at once the first ones are on their way to
 * disk, and have their first token, while others wait; and what runs is not held up by all of them.
 */
const round_requests = 32

/** For the process, as it has one event loop. */
const rounds = new KeyRounds(round_bytes)
const requests = new KeyRounds(round_requests)

/**
 * Has a request's body read a chunk at a time beside the large ones of other keys, so much in a round of the event loop, once it is large. Call it
 * before the body is read.
 * @returns how to stop
 */
export function readByRounds(req: Readable & Pick<IncomingMessage, 'headers'>, key: string): () => void {
  // Where it says no length, it may be large.
  if (Number(req.headers['content-length'] ?? Infinity) <= large) return () => undefined
  let read = 0
  let over = false
  const onData = (chunk: Buffer): void => {
    read += chunk.length
    if (read <= large) return
    req.pause()
    rounds.ask(key, () => {
      if (over) return 0
      req.resume()
      return chunk.length
    })
  }
  req.on('data', onData)
  return () => {
    over = true
    req.off('data', onData)
  }
}

/**
 * Resolves when a body of so many bytes may be parsed, and its request be worked on: a large one when its key is next; a small one at once, or
 * when its key is next where many have come together.
 */
export function waitToParse(key: string, bytes: number): Promise<void> {
  return bytes > large ? rounds.wait(key, bytes) : requests.enter(key, 1)
}
