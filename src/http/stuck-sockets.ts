import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../ports/clock.ts'

/** How often sockets are looked at, ms. */
const look_ms = 15_000

/** A socket that takes nothing of what waits for it is closed after this, ms. */
const patience_ms = 60_000

/**
 * Bounds a server's connections, and closes those that take nothing of what waits for them. Returns how to stop looking.
 * @param connections at once; further ones are not taken. Below what a process may have open, so that files can be opened
 */
export function watchSockets(server: Server, connections: number, clock: Clock): () => void {
  server.maxConnections = connections
  const stuck = new WeakMap<Socket, { readonly taken: number; readonly since: number }>()
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return clock.every(look_ms, () => {
    const now = clock.now()
    for (const socket of sockets) {
      const taken = socket.bytesWritten - socket.writableLength
      const before = stuck.get(socket)
      if (socket.writableLength === 0) continue
      if (before?.taken !== taken) stuck.set(socket, { taken, since: now })
      else if (now - before.since >= patience_ms) socket.destroy()
    }
  })
}
