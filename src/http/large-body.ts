import type { ServerResponse } from 'node:http'

/** Bodies up to this go out at once; larger ones in pieces of this size, bytes. */
const piece = 64 * 1024

/** What a key may have of answers that it does not read, bytes: some of the largest. */
const most_unread = 64 * 1024 * 1024

/** Large answers under way of each key, the oldest first, with their sizes. */
export class LargeBodies {
  private readonly keys = new Map<string, Map<ServerResponse, number>>()

  /**
   * Ends a response with a body, at the reader's pace where that is large. A key that leaves too much unread loses the connection it has
   * left unread the longest.
   */
  send(res: ServerResponse, body: string, key: string): void {
    if (body.length <= piece) {
      res.end(body)
      return
    }
    const bytes = Buffer.from(body)
    // The head may be out, with blanks before the body.
    if (!res.headersSent) res.setHeader('Content-Length', bytes.length)
    this.enter(res, bytes.length, key)
    let at = 0
    const goOn = (): void => {
      while (at < bytes.length && !res.destroyed) if (!res.write(bytes.subarray(at, (at += piece)))) return
      if (!res.destroyed) res.end()
    }
    res.on('drain', goOn)
    goOn()
  }

  private enter(res: ServerResponse, size: number, key: string): void {
    const own = this.keys.get(key) ?? new Map<ServerResponse, number>()
    this.keys.set(key, own.set(res, size))
    res.once('close', () => {
      own.delete(res)
      if (own.size === 0 && this.keys.get(key) === own) this.keys.delete(key)
    })
    let unread = [...own.values()].reduce((sum, one) => sum + one, 0)
    for (const [oldest, held] of own) {
      if (unread <= most_unread || oldest === res) break
      unread -= held
      own.delete(oldest)
      oldest.destroy()
    }
  }
}
