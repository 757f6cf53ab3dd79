import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { cert, key } from './tls.ts'

/** Bytes that are served as a file, or what answers. */
export type Route = Buffer | ((req: IncomingMessage, res: ServerResponse) => void)

/** A request as it came in. */
export interface HubRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** A real server on loopback that files are fetched from. */
export class Hub {
  readonly requests: HubRequest[] = []
  readonly routes = new Map<string, Route>()
  readonly port: number
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
    this.port = (server.address() as AddressInfo).port
    server.on('request', (req, res) => {
      const path = req.url ?? ''
      this.requests.push({ path, headers: req.headers })
      const route = this.routes.get(path.replace(/\?.*/, ''))
      if (route === undefined) res.writeHead(404).end()
      else if (typeof route === 'function') route(req, res)
      else sendFile(route, req, res)
    })
  }

  static async start(secure = false): Promise<Hub> {
    const server = secure ? createTlsServer({ key, cert }) : createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Hub(server)
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Serves a file of a repository as the hub does. */
  put(repo: string, path: string, route: Route, revision = 'main'): void {
    this.routes.set(`/${repo}/resolve/${revision}/${path}`, route)
  }

  /** Breaks every connection. */
  drop(): void {
    this.server.closeAllConnections()
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

/** Answers with the bytes, or with those a Range asks for. */
export function sendFile(bytes: Buffer, req: IncomingMessage, res: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? Number.NaN)
  if (Number.isNaN(from)) {
    res.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
  } else if (from >= bytes.length) {
    res.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end()
  } else {
    const rest = bytes.subarray(from)
    res.writeHead(206, { 'Content-Length': rest.length, 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }).end(rest)
  }
}

/** Announces all bytes, sends the first `count` of what is asked for, and then nothing more until the connection is dropped. */
export const holdAfter =
  (bytes: Buffer, count: number): ((req: IncomingMessage, res: ServerResponse) => void) =>
  (req, res) => {
    const from = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0)
    const head = {
      'Content-Length': bytes.length - from,
      ...(from === 0 ? {} : { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    }
    res.writeHead(from === 0 ? 200 : 206, head)
    res.write(bytes.subarray(from, from + count))
  }

/** Sends zeros until the connection breaks, and announces `length` bytes, or nothing. */
export const endless =
  (length?: number): Route =>
  (_req, res) => {
    res.writeHead(200, length === undefined ? {} : { 'Content-Length': length })
    const zeros = Buffer.alloc(65_536)
    const more = (): void => {
      while (!res.destroyed && res.write(zeros));
    }
    res.on('drain', more)
    more()
  }

/** Sends on to another place. */
export const redirectTo =
  (location: string, status = 302): Route =>
  (_req, res) =>
    void res.writeHead(status, { Location: location }).end()
