import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { DomainError } from '../domain/errors.ts'

/** When a key that has too many connections may try again, ms: some of them are idle, and those are closed after a while. */
const retry_ms = 1000

/** Connections of each key: what a connection brings is one key's as long as it lasts, and each key has a bounded number of them. */
export class KeyConnections {
  private readonly most: number
  private readonly counts = new Map<string, number>()
  private readonly owners = new WeakMap<Socket, string>()

  /** @param most connections of one key at once */
  constructor(most: number) {
    this.most = most
  }

  /**
   * Takes the connection of a request as one of the key's. A proxy's brings requests of several keys, and is the last one's.
   * @param res of the request; where the connection is one too many, it is closed with the answer
   * @throws DomainError rate_limited where the key has as many as it may
   */
  take(res: Pick<ServerResponse, 'setHeader'>, socket: Socket, key: string): void {
    const before = this.owners.get(socket)
    if (before === key) return
    if ((this.counts.get(key) ?? 0) >= this.most) {
      res.setHeader('Connection', 'close')
      const message = `The key ${key} has the ${this.most} connections that it may have at once (limits.connections_per_key); close some.`
      throw new DomainError('rate_limited', message, { retry_after_ms: retry_ms, policy_label: 'rate-limit' })
    }
    this.owners.set(socket, key)
    this.count(key, 1)
    if (before === undefined) socket.once('close', () => this.count(this.owners.get(socket) ?? key, -1))
    else this.count(before, -1)
  }

  private count(key: string, more: 1 | -1): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + more)
  }
}
