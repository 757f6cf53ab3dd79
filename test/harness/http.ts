import { request, type Agent, type IncomingHttpHeaders } from 'node:http'

/** A whole HTTP response. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; empty where there is none. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  readonly method?: string
  readonly key?: string
  /** Headers as they go out: `Host` and `Origin`, too. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** A connection of its own for each call if left out. */
  readonly agent?: Agent
}

/** One request to `url + path` and its whole response. */
export async function call(url: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { method = 'GET', key, headers = {}, body, agent = false } = options
  const payload = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      {
        method,
        agent,
        headers: {
          ...(key === undefined ? {} : { 'X-API-Key': key }),
          ...(payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(payload)) }),
          ...headers,
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () => {
          const isJson = response.headers['content-type']?.startsWith('application/json') === true
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {},
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(payload)
  })
}

/** POSTs a task and insists on the 202. */
export async function post(url: string, key: string, task: Readonly<Record<string, unknown>>, agent?: Agent): Promise<Answer> {
  const answer = await call(url, '/v1/tasks', { method: 'POST', key, body: task, ...(agent === undefined ? {} : { agent }) })
  if (answer.status !== 202) throw new Error(`POST /v1/tasks: ${answer.status} ${answer.text}`)
  return answer
}
