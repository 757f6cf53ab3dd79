import { clientOf, type ClientOptions } from '../../sdk/src/client.ts'

/** What a scripted daemon does with one request; a thrown TypeError is a connection that does not come about. */
export type Step = (request: Request) => Response | Promise<Response>

/** Everything an iterator tells. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** An event stream whose connection ends as it should, or breaks after its frames. */
export function stream(frames: readonly string[], end: 'close' | 'break' | 'stay' = 'close', status = 200): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const frame of frames) controller.enqueue(encoder.encode(frame))
      if (end === 'close') controller.close()
    },
    // What was enqueued is read first; an error would throw it away.
    pull: (controller) => {
      if (end === 'break') controller.error(new TypeError('terminated'))
    },
  })
  return new Response(body, { status, headers: { 'Content-Type': 'text/event-stream' } })
}

export const started = 'id: 0\nevent: started\ndata: {"queue_position":0}\n\n'
export const token = (n: number, t: string): string => `id: ${n}-00000000\nevent: token\ndata: ${JSON.stringify({ t, i: n - 1 })}\n\n`
export const end = 'id: end\nevent: end\ndata: {"finish_reason":"stop"}\n\n'
export const failure = (fields: object): string =>
  `id: end\nevent: error\ndata: ${JSON.stringify({ code: 'WORKER_RESET', message: 'The engine is gone.', retriable: true, ...fields })}\n\n`

/** An answer with the one body of errors. */
export const refusal = (status: number, fields: object, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify({ code: 'ADMISSION_REJECT', message: 'Full.', retriable: true, correlation_id: 'c1', ...fields }), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  })

/** A client whose daemon follows a script, one step for each request, and whose waits are written down instead of waited. */
export function scripted(steps: readonly Step[], options: ClientOptions = {}) {
  const left = [...steps]
  const requests: Request[] = []
  const waits: number[] = []
  let now = 0
  const fetch = async (request: Request): Promise<Response> => {
    requests.push(request)
    request.signal.throwIfAborted()
    const step = left.shift()
    if (step === undefined) throw new Error(`nobody expected ${request.method} ${request.url}`)
    return step(request)
  }
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    waits.push(ms)
    now += ms
    return Promise.resolve()
  }
  const client = clientOf({ baseUrl: 'http://daemon.test', ...options, fetch }, { now: () => now, sleep, random: () => 0.5 })
  /** Requests as `METHOD path`, with what they resume from. */
  const asked = (): string[] =>
    requests.map(({ method, url, headers }) => {
      const last = headers.get('last-event-id')
      return `${method} ${new URL(url).pathname}${last === null ? '' : ` after ${last}`}`
    })
  return { client, requests, waits, asked, left }
}
