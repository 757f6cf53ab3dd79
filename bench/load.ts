import { connect, type Socket } from 'node:net'

/** What a load run saw. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Responses by status. */
  readonly statuses: ReadonlyMap<number, number>
}

/**
 * Sends `total` POST requests over `connections` keep-alive connections, each with one request under way. A plain socket client, so that
 * the client costs as little as it can beside the server that is measured.
 * @param bodyOf body of the n-th request
 */
export async function load(
  port: number,
  path: string,
  headers: string,
  bodyOf: (n: number) => string,
  total: number,
  connections: number,
): Promise<LoadResult> {
  const statuses = new Map<number, number>()
  let sent = 0
  const started = performance.now()
  const worker = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    const responses = readResponses(socket)
    while (sent < total) {
      const body = bodyOf(sent++)
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
      const status = await responses()
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, worker))
  return { requests: total, seconds: (performance.now() - started) / 1000, statuses }
}

/** Returns a function that waits for the next whole response and gives its status. */
function readResponses(socket: Socket): () => Promise<number> {
  let rest = ''
  let waiting: PromiseWithResolvers<number> | undefined
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    rest += chunk
    const head = rest.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, head))?.[1] ?? 0)
    if (rest.length < head + 4 + length) return
    const status = Number(rest.slice(9, 12))
    rest = rest.slice(head + 4 + length)
    waiting?.resolve(status)
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')))
  return () => {
    waiting = Promise.withResolvers<number>()
    return waiting.promise
  }
}
