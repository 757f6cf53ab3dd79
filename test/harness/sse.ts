import { get, request, type IncomingMessage } from 'node:http'
import { parseFrame, type Frame } from '../../cli/contract/frame.ts'
import { inTime } from './wait.ts'

/** A reader of a task's stream over a real connection. */
export class StreamClient {
  readonly frames: Frame[] = []
  readonly response: IncomingMessage
  /** Resolves when the server has ended the response; rejects when the connection breaks. */
  readonly closed: Promise<void>
  /** Everything that came, as it came. */
  raw = ''
  private rest = ''
  private waiting: (() => void)[] = []
  private over = false

  private constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    this.closed = new Promise((resolve, reject) => {
      response.on('data', (chunk: string) => {
        this.raw += chunk
        const blocks = (this.rest + chunk).split('\n\n')
        this.rest = blocks.pop() ?? ''
        this.frames.push(...blocks.map(parseFrame))
        this.notify()
      })
      response.on('end', () => {
        this.over = true
        this.notify()
        resolve()
      })
      response.on('error', (error) => {
        this.over = true
        this.notify()
        reject(error)
      })
    })
    this.closed.catch(() => undefined)
  }

  /** Opens `/v1/tasks/{id}/stream`. */
  static async open(url: string, task_id: string, key: string, lastEventId?: string): Promise<StreamClient> {
    const headers = { 'X-API-Key': key, ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }) }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/v1/tasks/${task_id}/stream`, { headers, agent: false }, resolve).on('error', reject)
    })
    return new StreamClient(response)
  }

  /** Opens `/v1/events`. @param query with its question mark, where there is one */
  static async events(url: string, key: string, query = '', lastEventId?: string): Promise<StreamClient> {
    const headers = { 'X-API-Key': key, ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }) }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/v1/events${query}`, { headers, agent: false }, resolve).on('error', reject)
    })
    return new StreamClient(response)
  }

  /** Posts a task and reads its stream in the same call. */
  static async post(url: string, key: string, task: unknown, accept = 'text/event-stream'): Promise<StreamClient> {
    const headers = { 'X-API-Key': key, 'Content-Type': 'application/json', Accept: accept }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${url}/v1/tasks`, { method: 'POST', headers, agent: false }, resolve).on('error', reject).end(JSON.stringify(task))
    })
    return new StreamClient(response)
  }

  get status(): number {
    return this.response.statusCode ?? 0
  }

  /** Text of all tokens so far. */
  get text(): string {
    return this.frames.flatMap(({ event, data }) => (event === 'token' ? [String(data?.['t'])] : [])).join('')
  }

  get tokens(): Frame[] {
    return this.frames.filter(({ event }) => event === 'token')
  }

  /** The `end` or `error` frame. */
  get terminal(): Frame | undefined {
    return this.frames.find(({ event }) => event === 'end' || event === 'error')
  }

  /** Resolves when the condition holds; throws where the stream ends without. */
  async until(condition: (client: StreamClient) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.over) throw new Error(`the stream ended: ${JSON.stringify(this.frames.slice(-3))}`)
      const next = new Promise<void>((resolve) => this.waiting.push(resolve))
      await inTime(next, `${String(condition)} in a stream of ${this.frames.length} frames`)
    }
  }

  /** Drops the connection. */
  drop(): void {
    this.response.destroy()
  }

  private notify(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** Reads a task's whole stream. */
export async function readStream(url: string, task_id: string, key: string, lastEventId?: string): Promise<StreamClient> {
  const client = await StreamClient.open(url, task_id, key, lastEventId)
  await client.closed
  return client
}
