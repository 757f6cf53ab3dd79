import type { Server, ServerResponse } from 'node:http'

/** One `write` or `end` of a response, in the order the process made them. */
export interface Write {
  /** Position in that order. */
  readonly order: number
  /** Number of the response it belongs to. */
  readonly response: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly text: string
  /** The response is over with this write. */
  readonly last: boolean
}

/** Records what a server writes: the order in which frames and answers leave the process, whatever the network makes of it. */
export function recordWrites(server: Server): Write[] {
  const writes: Write[] = []
  let responses = 0
  server.prependListener('request', (req, res: ServerResponse) => {
    const response = ++responses
    const record = (chunk: unknown, last: boolean): void => {
      // A stream writes its chunks itself: what counts is what is in them.
      const text = typeof chunk === 'string' ? chunk.replace(/^[0-9a-f]+\r\n([^]*)\r\n$/, '$1') : ''
      writes.push({ order: writes.length, response, method: req.method ?? '', path: req.url ?? '', status: res.statusCode, text, last })
    }
    const write = res.write.bind(res) as (...args: unknown[]) => boolean
    const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse
    res.write = (...args: unknown[]): boolean => {
      record(args[0], false)
      return write(...args)
    }
    res.end = (...args: unknown[]): ServerResponse => {
      record(args[0], true)
      return end(...args)
    }
  })
  return writes
}
