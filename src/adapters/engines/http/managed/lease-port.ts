import { createServer } from 'node:net'
import { codeOf } from '../../../../domain/errors.ts'
import { EngineError } from '../../../../ports/engine.ts'

/** A port of 127.0.0.1 that a server is about to listen on. */
export interface PortLease {
  readonly port: number
  /** Whether somebody listens there now. */
  taken(): Promise<boolean>
  release(): void
}

/** Those of servers that run or are about to: nothing says that a port is promised before its server listens. */
const leased = new Set<number>()

/** Finds a free port, or takes the given one. @throws EngineError where somebody else has it */
export async function leasePort(fixed?: number): Promise<PortLease> {
  for (;;) {
    const port = await probe(fixed ?? 0)
    if (port === undefined) throw new EngineError(`port ${fixed ?? 0} of 127.0.0.1 is in use by another process`, { retriable: true })
    if (leased.has(port) && fixed === undefined) continue
    leased.add(port)
    let held = true
    const release = (): void => {
      if (held) leased.delete(port)
      held = false
    }
    return { port, taken: async () => (await probe(port)) === undefined, release }
  }
}

/** The port that could be listened on, 0 for any free one; undefined where it is in use. */
function probe(port: number): Promise<number | undefined> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}
