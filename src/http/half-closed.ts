import type { ServerResponse } from 'node:http'

/**
 * When a client that has closed its sending side is asked again whether it is there, ms. Who has gone answers the first question with a reset,
 * which the next one meets: a round trip of the network, whatever the daemon's clock says, and at once on the same machine.
 */
const again_ms = [0, 5, 20, 80, 300, 1000]

/**
 * A client that closes its sending side may read on, or be gone: only what is written to it tells. `ask` writes something that changes
 * nothing; one that is gone closes the response.
 */
export function onHalfClosed(res: ServerResponse, ask: () => void): void {
  const { socket } = res.req
  const timers: NodeJS.Timeout[] = []
  const begin = (): void => {
    ask()
    for (const after_ms of again_ms) timers.push(setTimeout(ask, after_ms).unref())
  }
  const stop = (): void => {
    socket.off('end', begin)
    for (const timer of timers) clearTimeout(timer)
  }
  if (socket.readableEnded) begin()
  else socket.once('end', begin)
  res.once('close', stop)
}

/** The same before the head of the answer is out. With HTTP/1.0 there is nothing that may be said then. */
export function askBeforeHead(res: ServerResponse): void {
  onHalfClosed(res, () => {
    if (!res.headersSent && res.req.httpVersion === '1.1') res.writeContinue()
  })
}
