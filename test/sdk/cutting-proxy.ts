import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a proxy does to the streams that go through it. */
export interface Cuts {
  /** Where the daemon is; waited for, so that a daemon that is away is one that answers late. */
  readonly target: () => Promise<string>
  /** How much goes on of the frame after which the connection is cut, bytes. */
  readonly remainder: number
  /** Hears of each frame with an id when it has gone out, before the connection is cut. */
  readonly onFrame: (id: string) => Promise<void>
}

/**
 * A proxy that cuts every stream after its first frame with an id, within the one after that, and answers nothing to the first POST, though
 * the daemon does.
 */
export class CuttingProxy {
  cuts = 0
  private posts = 0
  private readonly server: Server
  private readonly options: Cuts

  private constructor(options: Cuts) {
    this.options = options
    this.server = createServer((incoming, outgoing) => void this.pass(incoming, outgoing))
  }

  static async start(options: Cuts): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(options)
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const target = await this.options.target()
    const onward = request(`${target}${url}`, { method, headers, agent: false }, (answer) => {
      if (method === 'POST' && this.posts++ === 0) {
        outgoing.destroy()
        answer.destroy()
        return
      }
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
      if (answer.headers['content-type']?.startsWith('text/event-stream') !== true) {
        answer.pipe(outgoing)
        return
      }
      this.relay(answer, outgoing).catch(() => outgoing.destroy())
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }

  /** Hands on frame by frame, in a write of its own each. */
  private async relay(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let rest = ''
    let last: string | undefined
    for await (const chunk of answer.setEncoding('latin1')) {
      const blocks = (rest + String(chunk)).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (last !== undefined) return await this.cut(outgoing, `${block}\n\n`, last)
        await written(outgoing, `${block}\n\n`)
        last = /^id: (.*)$/m.exec(block)?.[1]
        if (last === 'end') {
          outgoing.end()
          return
        }
      }
    }
    // The daemon is gone.
    outgoing.destroy()
  }

  private async cut(outgoing: ServerResponse, next: string, last: string): Promise<void> {
    await written(outgoing, next.slice(0, Math.min(this.options.remainder, next.length - 1)))
    await this.options.onFrame(last)
    this.cuts++
    outgoing.destroy()
  }
}

const written = (to: ServerResponse, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    // A reader that has left has nothing to wait for.
    to.once('close', resolve)
    to.write(text, 'latin1', (error) => {
      to.off('close', resolve)
      if (error) reject(error)
      else resolve()
    })
  })
