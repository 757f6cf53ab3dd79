import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

const folder = new URL('../../fixtures/engines/', import.meta.url)

/** Everything that a real engine sent back on one connection: head, chunk frames and all. */
export const recording = (name: string): Buffer => readFileSync(new URL(`${name}.res.http`, folder))

/** The same of a body that nobody recorded. */
export const asRecorded = (body: string, type = 'text/event-stream'): Buffer =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  )

const separator = '\r\n\r\n'

/** The messages of a recorded stream, without its chunk frames. */
export function bodyOf(recorded: Buffer): Buffer {
  let rest = recorded.subarray(recorded.indexOf(separator) + separator.length)
  if (!/transfer-encoding: chunked/i.test(recorded.toString('latin1'))) return rest
  const chunks: Buffer[] = []
  for (;;) {
    const line = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.subarray(0, line).toString(), 16)
    if (line < 0 || !(size > 0)) return Buffer.concat(chunks)
    chunks.push(rest.subarray(line + 2, line + 2 + size))
    rest = rest.subarray(line + 2 + size + 2)
  }
}

/** One request of the adapter, and the socket to answer it on. */
export class EngineCall {
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>>
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>
  /** The answer has come to a well-formed end. */
  ended = false
  readonly socket: Socket

  constructor(request: IncomingMessage, body: string) {
    this.headers = request.headers
    this.body = body === '' ? {} : (JSON.parse(body) as Record<string, unknown>)
    this.socket = request.socket
    this.closed = new Promise((resolve) => request.socket.once('close', () => resolve()))
  }

  /** Writes bytes as they are. Resolves when they are on their way. */
  write(bytes: Buffer | string): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => setImmediate(resolve)))
  }

  /** Writes bytes and closes the connection, as a process that ends does. */
  end(bytes: Buffer | string = ''): void {
    this.socket.end(bytes)
  }

  /** The head of a stream of these bytes, each written as one chunk. */
  async stream(chunks: Iterable<Buffer | string>, type = 'text/event-stream'): Promise<void> {
    await this.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    for (const chunk of chunks) await this.chunk(chunk)
  }

  async chunk(bytes: Buffer | string): Promise<void> {
    const size = Buffer.byteLength(bytes).toString(16)
    await this.write(Buffer.concat([Buffer.from(`${size}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]))
  }

  /** Ends a body well-formed; the connection stays. */
  async endBody(): Promise<void> {
    this.ended = true
    await this.write('0\r\n\r\n')
  }

  /** A whole answer that is no stream. */
  async json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    this.ended = true
    const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    await this.write(`HTTP/1.1 ${status} X\r\nContent-Length: ${Buffer.byteLength(text)}\r\n${extra.join('')}\r\n${text}`)
  }

  /** Cuts the connection with a reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}

export type Answer = (call: EngineCall) => void | Promise<void>

/** A server on loopback that answers as a test says. */
export class EngineServer {
  readonly calls: { readonly route: string; readonly call: EngineCall }[] = []
  readonly sockets = new Set<Socket>()
  port = 0
  private readonly answers = new Map<string, Answer>()
  private readonly server: Server
  private waiting: (() => void)[] = []

  private constructor() {
    this.server = createServer((request) => {
      let body = ''
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
      request.on('end', () => {
        const route = `${request.method ?? ''} ${request.url ?? ''}`
        const call = new EngineCall(request, body)
        this.calls.push({ route, call })
        for (const resolve of this.waiting.splice(0)) resolve()
        void (this.answers.get(route) ?? ((unknown) => unknown.json(404, { error: { message: 'no such route', code: 404 } })))(call)
      })
    })
    this.server.on('connection', (socket) => {
      this.sockets.add(socket)
      // One listener a call, for as long as the connection is kept.
      socket.setMaxListeners(0)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        this.sockets.delete(socket)
        for (const resolve of this.waiting.splice(0)) resolve()
      })
    })
  }

  static async start(): Promise<EngineServer> {
    const made = new EngineServer()
    await new Promise<void>((resolve) => made.server.listen(0, '127.0.0.1', resolve))
    made.port = (made.server.address() as AddressInfo).port
    return made
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** @param route method and path, such as `GET /health` */
  on(route: string, answer: Answer | Buffer): void {
    this.answers.set(route, typeof answer === 'function' ? answer : (call) => call.end(answer))
  }

  /** The next change of calls or connections until the condition holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  /** Takes no connection any more and closes those on which nobody waits, as a server does that was told to end. */
  deaf(): void {
    this.server.close()
    const waited = new Set(this.calls.flatMap(({ call }) => (call.ended ? [] : [call.socket])))
    for (const socket of this.sockets) if (!waited.has(socket)) socket.destroy()
  }

  /** How often a route was asked for. */
  count(route: string): number {
    return this.calls.filter((call) => call.route === route).length
  }

  /** Nothing listens any more. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }
}
