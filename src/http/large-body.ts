import type { ServerResponse } from 'node:http'
import { jsonInside, textPieces } from '../domain/text-pieces.ts'
import { fairly } from './fair-writes.ts'

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
    pour(res, slices(bytes))
  }

  /** The same with a value as JSON. A long text in it, such as the content of an artifact, is written out as it is read. */
  sendJson(res: ServerResponse, body: object, key: string): void {
    const long = longText(body)
    if (long === undefined) {
      this.send(res, JSON.stringify(body), key)
      return
    }
    const [name, text] = long
    this.enter(res, Buffer.byteLength(text), key)
    pour(res, jsonPieces({ ...body, [name]: undefined }, name, text))
  }

  private enter(res: ServerResponse, size: number, key: string): void {
    const own = this.keys.get(key) ?? new Map<ServerResponse, number>()
    this.keys.set(key, own.set(res, size))
    res.once('close', () => void own.delete(res))
    let unread = [...own.values()].reduce((sum, one) => sum + one, 0)
    for (const [oldest, held] of own) {
      if (unread <= most_unread || oldest === res) break
      unread -= held
      own.delete(oldest)
      oldest.destroy()
    }
  }
}

/** The first field that is a long text. */
function longText(body: object): readonly [name: string, text: string] | undefined {
  for (const [name, value] of Object.entries(body)) if (typeof value === 'string' && value.length > piece) return [name, value]
  return undefined
}

function* jsonPieces(rest: object, name: string, text: string): Generator<string> {
  const others = JSON.stringify(rest).slice(0, -1)
  yield `${others}${others === '{' ? '' : ','}${JSON.stringify(name)}:"`
  for (const part of textPieces(text, piece)) yield jsonInside(part)
  yield '"}'
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
}

/** The kernel takes megabytes at once: each piece waits for what others have to write. */
function pour(res: ServerResponse, pieces: Iterator<string | Buffer, void>): void {
  const goOn = (): void => {
    fairly(() => {
      if (res.destroyed) return 0
      const next = pieces.next()
      if (next.done === true) {
        res.end()
        return 0
      }
      if (res.write(next.value)) goOn()
      return next.value.length
    })
  }
  res.on('drain', goOn)
  goOn()
}
