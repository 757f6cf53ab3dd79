import type { Dispatcher, Pool } from 'undici'
import type { Clock } from '../../../ports/clock.ts'
import { Exchange, type Sink } from './exchange.ts'
import { connectionFault, nonsense, type EngineFault } from './faults.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

/** Connections of calls that are no tasks: health, counts. */
const spare = 4
/** Largest answer that is no stream, bytes. */
const most_bytes = 256 * 1024 * 1024

/** Where a server is. */
export interface ServerAddress {
  readonly url: string
  readonly api_key?: string | undefined
}

interface ClientParts extends ServerAddress {
  readonly clock: Clock
}

/** The HTTP client of one replica: connections of its own, and no time limits: those are our watchdogs'. */
export class EngineClient {
  /** Chunks that have come in: who talks is alive. */
  heard = 0
  private readonly pool: Pool
  /** Connections of tasks: counts never take one of theirs. */
  private streams: Pool | undefined
  private readonly connect: (connections: number) => Pool
  private readonly base: string
  private readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  private readonly redact: (text: string) => string
  private readonly calls = new Set<Exchange>()

  private constructor(connect: (connections: number) => Pool, base: string, { api_key = '', clock }: ClientParts) {
    this.connect = connect
    this.pool = connect(spare)
    this.base = base
    this.clock = clock
    this.headers = { 'User-Agent': 'orchestratord', ...(api_key === '' ? {} : { Authorization: `Bearer ${api_key}` }) }
    this.redact = (text) => (api_key === '' ? text : text.replaceAll(api_key, '***'))
  }

  static async open(parts: ClientParts): Promise<EngineClient> {
    // Only who has such an engine loads the HTTP client.
    const { Pool: Connections } = await import('undici')
    const { origin, pathname } = new URL(parts.url)
    const options = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: false }
    return new EngineClient((connections) => new Connections(origin, { ...options, connections }), pathname.replace(/\/+$/, ''), parts)
  }

  /** Makes room for so many tasks at once, before the first of them. */
  reserve(slots: number): void {
    this.streams ??= this.connect(slots)
  }

  /** Sends the body of a task and reads the answer as it comes. @throws EngineFault; the signal's reason after an abort */
  async stream(path: string, body: object, sink: Sink, signal: AbortSignal): Promise<void> {
    await this.call('POST', path, body, sink, signal, this.streams)
  }

  /** An answer that is one JSON object. @throws EngineFault; the signal's reason after an abort */
  async get(path: string, signal: AbortSignal): Promise<JsonObject> {
    return objectIn(await this.text(path, signal))
  }

  /** An answer that is one JSON object. @throws EngineFault; the signal's reason after an abort */
  async post(path: string, body: object, signal: AbortSignal): Promise<JsonObject> {
    return objectIn(await this.whole('POST', path, body, signal))
  }

  /** As `post`, for an answer that is any JSON. */
  async postForValue(path: string, body: object, signal: AbortSignal): Promise<Json> {
    return parsed(await this.whole('POST', path, body, signal))
  }

  /** An answer that is any JSON. @throws EngineFault; the signal's reason after an abort */
  async value(path: string, signal: AbortSignal): Promise<Json> {
    return parsed(await this.text(path, signal))
  }

  /** An answer that is any text. @throws EngineFault; the signal's reason after an abort */
  text(path: string, signal: AbortSignal, method: 'GET' | 'POST' = 'GET'): Promise<string> {
    return this.whole(method, path, undefined, signal)
  }

  /** Closes every connection; calls under way reject with the reason. */
  async close(reason: Error): Promise<void> {
    for (const call of this.calls) call.abort(reason)
    await Promise.all([this.pool.destroy(), this.streams?.destroy()])
  }

  private async whole(method: 'GET' | 'POST', path: string, body: object | undefined, signal: AbortSignal): Promise<string> {
    const chunks: Buffer[] = []
    let size = 0
    const data = (chunk: Buffer): boolean => {
      size += chunk.length
      if (size > most_bytes) throw nonsense(new Error('the answer is too large'))
      chunks.push(chunk)
      return false
    }
    await this.call(method, path, body, { data, end: () => undefined }, signal)
    return Buffer.concat(chunks).toString()
  }

  private async call(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    sink: Sink,
    signal: AbortSignal,
    on = this.pool,
  ): Promise<void> {
    const headers = body === undefined ? this.headers : { ...this.headers, 'Content-Type': 'application/json' }
    const request = { method, path: this.base + path, headers, body: body === undefined ? null : JSON.stringify(body) }
    const data = (chunk: Buffer): boolean => {
      this.heard++
      return sink.data(chunk)
    }
    const counted = { data, end: () => sink.end() }
    if ((await this.send(on, request, counted, signal)) === undefined) return
    const again = await this.send(on, request, counted, signal)
    if (again !== undefined) throw again
  }

  /**
   * Sends once. Resolves with the fault where the connection was closed before anything of an answer had come: llama-server does so with a
   * connection that it has kept for a hundred requests, and cannot tell that the next one is on its way.
   */
  private async send(on: Pool, request: Dispatcher.DispatchOptions, sink: Sink, signal: AbortSignal): Promise<EngineFault | undefined> {
    signal.throwIfAborted()
    const call = new Exchange(sink, this.redact, this.clock)
    const onAbort = (): void => call.abort(signal.reason)
    this.calls.add(call)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      try {
        on.dispatch(request, call)
      } catch (error) {
        call.abort(connectionFault(error instanceof Error ? error : new Error(String(error))))
      }
      await call.done
      return undefined
    } catch (error) {
      if (error === call.unanswered) return call.unanswered
      throw error
    } finally {
      this.calls.delete(call)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/** @throws EngineFault where the text is no JSON */
export function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw nonsense(cause)
  }
}

/** @throws EngineFault where the text is no JSON object */
export function objectIn(text: string): JsonObject {
  const value = parsed(text)
  if (!isObject(value)) throw nonsense(new Error('not a JSON object'))
  return value
}
