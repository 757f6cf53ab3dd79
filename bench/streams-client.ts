import { connect, type Socket } from 'node:net'

/** Many readers of streams on plain sockets, so that they cost as little as they can beside the server that is measured. */
export interface Readers {
  /** Resolves when so many frames with an id have come over all streams. */
  until(frames: number): Promise<void>
  /** What the first reader got, as it came. */
  readonly first: string
  /** Resolves when the server has closed every connection. */
  readonly over: Promise<void>
}

/** Opens one stream for each path; resolves when the first bytes of each have come. */
export async function openStreams(port: number, paths: readonly string[], headers: string): Promise<Readers> {
  const state = { first: '' }
  let frames = 0
  let awaited = Infinity
  let arrived = (): void => undefined
  // All sockets read into the same memory: nothing of it is kept.
  const buffer = Buffer.alloc(64 * 1024)
  const ends = paths.map((path, i) => {
    const opened = Promise.withResolvers()
    const over = Promise.withResolvers()
    let last = 0
    const callback = (length: number): boolean => {
      if (i === 0) state.first += buffer.toString('latin1', 0, length)
      // Of all lines, only the first one of a frame with an id begins with an i.
      for (let at = 0; at < length; at++) {
        const byte = buffer[at] ?? 0
        if (byte === 0x69 && last === 0x0a) frames++
        last = byte
      }
      if (frames >= awaited) arrived()
      opened.resolve(undefined)
      return true
    }
    const socket: Socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}Connection: close\r\n\r\n`)
    socket.on('error', (error) => {
      opened.reject(error)
      over.reject(error)
    })
    socket.on('close', () => over.resolve(undefined))
    return { opened: opened.promise, over: over.promise }
  })
  await Promise.all(ends.map(({ opened }) => opened))
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      awaited = count
      arrived = resolve
      if (frames >= awaited) resolve()
    })
  return Object.assign(state, { until, over: Promise.all(ends.map(({ over }) => over)).then(() => undefined) })
}

/** The body of a response to HTTP/1.1, with its chunks joined. */
export function bodyOf(response: string): string {
  let at = response.indexOf('\r\n\r\n') + 4
  let body = ''
  for (;;) {
    const line = response.indexOf('\r\n', at)
    const length = Number.parseInt(response.slice(at, line), 16)
    if (!(length > 0)) return Buffer.from(body, 'latin1').toString('utf8')
    body += response.slice(line + 2, line + 2 + length)
    at = line + 2 + length + 2
  }
}
