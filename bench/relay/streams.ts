import type { Socket } from 'node:net'
import { connected, requestOf, type RelayCall } from './requests.ts'
import { stamp } from './stamp.ts'

/** No byte for so long: what has not come by then is lost, ms. */
const quiet_ms = 10_000

/** Many streams under way. */
export class RelayedStreams {
  /** From the upstream's write of a frame to its arrival here, microseconds. */
  delays: number[] = []
  /** Streams that have ended well-formed. */
  whole = 0
  /** Frames that have come. */
  frames = 0
  private heard_at = performance.now()
  private awaited = Infinity
  private arrived = (): void => undefined
  private readonly sockets: Socket[]
  private readonly mark: string
  private readonly closed: Promise<unknown>

  private constructor(sockets: Socket[], mark: string) {
    this.sockets = sockets
    this.mark = mark
    for (const socket of sockets) this.read(socket)
    this.closed = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
  }

  /** Sends the requests, each on a connection of its own. @param mark two characters that every frame has once and nothing else has */
  static async open(port: number, calls: readonly RelayCall[], mark: string): Promise<RelayedStreams> {
    const sockets = await Promise.all(calls.map(() => connected(port)))
    const streams = new RelayedStreams(sockets, mark)
    calls.forEach((call, i) => sockets[i]?.write(requestOf({ ...call, headers: `${call.headers}Connection: close\r\n` })))
    return streams
  }

  /** Resolves when so many frames have come since the streams were opened, or none comes any more: a relay may lose some. */
  async until(frames: number): Promise<void> {
    this.awaited = frames
    if (this.frames >= frames) return
    await this.unlessQuiet(new Promise<void>((resolve) => (this.arrived = resolve)))
  }

  /** Closes the first so many connections. */
  leave(count: number): void {
    for (const socket of this.sockets.slice(0, count)) socket.destroy()
  }

  /** Resolves when every connection is closed, by the server or, where nothing comes any more, from here. */
  async over(): Promise<void> {
    await this.unlessQuiet(this.closed)
    this.leave(this.sockets.length)
  }

  private async unlessQuiet(what: Promise<unknown>): Promise<void> {
    this.heard_at = performance.now()
    const quiet = Promise.withResolvers<undefined>()
    const watch = setInterval(() => {
      if (performance.now() - this.heard_at > quiet_ms) quiet.resolve(undefined)
    }, 200)
    await Promise.race([what, quiet.promise])
    clearInterval(watch)
  }

  private read(socket: Socket): void {
    let last = ''
    let tail = ''
    socket.setEncoding('latin1')
    socket.on('data', (piece: string) => {
      this.heard_at = performance.now()
      const text = last + piece
      last = text.slice(-1)
      for (let at = text.indexOf(this.mark); at >= 0; at = text.indexOf(this.mark, at + 2)) this.frames++
      if (piece.includes('@')) this.time(piece)
      if (this.frames >= this.awaited) this.arrived()
      tail = (tail + piece).slice(-7)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (tail === '\r\n0\r\n\r\n') this.whole++
    })
  }

  private time(text: string): void {
    const now = stamp()
    for (const [, at] of text.matchAll(/@(\d+)@/g)) this.delays.push(now - Number(at))
  }
}
