import { Socket } from 'node:net'
import { ServerResponse } from 'node:http'
import { quantile } from '../section.ts'

/** A stream as its server sees it. */
export interface OpenStream {
  /** Takes the next token. */
  readonly emit: (token: number) => void
  /** No token follows. */
  readonly end: () => void
}

/** What a server of streams is told to do with all that are open. */
export interface FlowCommand {
  readonly flow?: {
    readonly tokens: number
    /** Tokens a second over all streams, each timed; without it, as fast as they can be written. */
    readonly rate?: number
  }
}

/** From engine event to socket write, microseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

/** Does what the bench says with the streams that `open` holds: lets tokens flow or, without a flow, ends them. */
export async function follow(open: OpenStream[], { flow }: FlowCommand): Promise<Latency | object> {
  if (flow !== undefined) return flowOver(open, flow.tokens, flow.rate)
  for (const { end } of open.splice(0)) end()
  return {}
}

/**
 * Lets tokens flow over all streams in turn, as a batching engine does: with each turn of the event loop one token for every stream or, at a
 * given rate, as many as are due. Every server under measurement is driven by this, so that they differ in nothing but what they do with a token.
 */
async function flowOver(streams: readonly OpenStream[], tokens: number, rate: number | undefined): Promise<Latency> {
  latencies = []
  if (rate !== undefined) timeWrites()
  const total = streams.length * tokens
  const started = performance.now()
  for (let sent = 0; sent < total;) {
    const due = rate === undefined ? sent + streams.length : Math.min(total, Math.floor(((performance.now() - started) * rate) / 1000))
    for (; sent < due; sent++) {
      if (rate !== undefined) due_at.push(started + (sent * 1000) / rate)
      streams[sent % streams.length]?.emit(Math.floor(sent / streams.length))
    }
    await new Promise(setImmediate)
    due_at = []
  }
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

let latencies: number[] = []
let timed = false
/**
 * When the tokens of this turn were due that are not written yet, in the order in which they are: what holds the event loop up keeps an engine's
 * tokens waiting, too.
 */
let due_at: number[] = []

type Method = (...args: unknown[]) => unknown

/** From now on times every token from the moment it was due until the write to its socket has returned. */
function timeWrites(): void {
  if (timed) return
  timed = true
  const waiting = new WeakMap<Socket, number>()
  wrap(ServerResponse.prototype, 'write', (write, res, args) => {
    const since = res.socket === null || waiting.has(res.socket) ? undefined : due_at.shift()
    if (since !== undefined && res.socket !== null) waiting.set(res.socket, since)
    return write(...args)
  })
  for (const name of ['_write', '_writev'] as const)
    wrap(Socket.prototype, name, (write, socket, args) => {
      const result = write(...args)
      const since = waiting.get(socket)
      if (since !== undefined) latencies.push((performance.now() - since) * 1000)
      waiting.delete(socket)
      return result
    })
}

function wrap<T extends object>(prototype: T, name: keyof T, around: (original: Method, self: T, args: unknown[]) => unknown): void {
  const original = prototype[name] as Method
  const wrapped = function (this: T, ...args: unknown[]): unknown {
    return around(original.bind(this), this, args)
  }
  Object.defineProperty(prototype, name, { value: wrapped, configurable: true, writable: true })
}
