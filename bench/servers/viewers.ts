import { connect, type Socket } from 'node:net'

/** What the viewers are told: how many there are to be from now on, and where; how much they have had since they were asked last. */
export interface ViewersCommand {
  readonly port: number
  readonly viewers: number
}

/** Readers of the daemon's events in a process of their own. Of more than one the last never reads. */
let sockets: Socket[] = []
let bytes = 0
const buffer = Buffer.alloc(64 * 1024)
const callback = (length: number): boolean => {
  bytes += length
  return true
}

function open(port: number, n: number, stalls: boolean): Socket {
  const socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
  socket.on('error', () => undefined)
  socket.write(`GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: k${n % 4}\r\n\r\n`)
  if (stalls) socket.pause()
  return socket
}

process.on('message', ({ port, viewers }: ViewersCommand) => {
  if (viewers !== sockets.length) {
    for (const socket of sockets) socket.destroy()
    sockets = Array.from({ length: viewers }, (_, n) => open(port, n, n > 0 && n === viewers - 1))
  }
  process.send?.({ bytes })
  bytes = 0
})
process.on('disconnect', () => process.exit(0))
process.send?.({ port: 0 })
