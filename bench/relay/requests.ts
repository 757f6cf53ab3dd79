import { connect, type Socket } from 'node:net'

/** How requests of one kind go to one server, and what its answer looks like. */
export interface RelayCall {
  readonly path: string
  /** Each with its line end. */
  readonly headers: string
  readonly body: string
  /** Comes with the first token. */
  readonly token: string
}

/** What came of many requests, milliseconds each. */
export interface RelayTimes {
  /** Until the last byte. */
  readonly whole: readonly number[]
  /** Until the first token. */
  readonly first: readonly number[]
}

/** The bytes of a request. */
export const requestOf = ({ path, headers, body }: Pick<RelayCall, 'path' | 'headers' | 'body'>): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** A connection that is open. */
export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket
}

/**
 * Sends `total` requests over kept connections, each with one under way: plain sockets, so that the client costs little.
 * @param callOf what the n-th of them is, from 0
 */
export async function sendAll(port: number, callOf: (n: number) => RelayCall, total: number, connections: number): Promise<RelayTimes> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connected(port)))
  const whole: number[] = []
  const first: number[] = []
  let sent = 0
  const worker = async (socket: Socket): Promise<void> => {
    const answer = answersOn(socket, callOf(0).token)
    while (sent < total) {
      const request = requestOf(callOf(sent++))
      const begun = performance.now()
      socket.write(request)
      const { first_at, text } = await answer()
      whole.push(performance.now() - begun)
      if (first_at === undefined || !text.startsWith('HTTP/1.1 200')) throw new Error(`not an answer: ${text}`)
      first.push(first_at - begun)
    }
    socket.destroy()
  }
  await Promise.all(sockets.map(worker))
  return { whole, first }
}

interface Answer {
  /** When the token came. */
  readonly first_at: number | undefined
  readonly text: string
}

/** Returns a function that waits for the next whole answer. */
function answersOn(socket: Socket, token: string): () => Promise<Answer> {
  let text = ''
  let first_at: number | undefined
  let waiting: PromiseWithResolvers<Answer> | undefined
  socket.setEncoding('latin1')
  socket.on('data', (piece: string) => {
    text += piece
    if (first_at === undefined && text.includes(token)) first_at = performance.now()
    if (isWhole(text)) waiting?.resolve({ first_at, text })
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error(`the server closed the connection after: ${text}`)))
  return () => {
    text = ''
    first_at = undefined
    waiting = Promise.withResolvers()
    return waiting.promise
  }
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return false
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1]
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length)
}
