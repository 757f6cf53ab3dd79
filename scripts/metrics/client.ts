import { setTimeout as sleep } from 'node:timers/promises'

/** Longest wait for something the daemon is expected to do, ms. */
const patience_ms = 30_000

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Speaks to one daemon with one key. */
export class Client {
  private readonly url: string
  private readonly key: string
  private tasks = 0

  constructor(url: string, key: string) {
    this.url = url
    this.key = key
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { 'X-API-Key': this.key, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
  }

  /** Calls and insists on the status. @throws Error with the answer where it is another */
  async expect(status: number, method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.call(method, path, body)
    if (answer.status !== status)
      throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`)
    return answer
  }

  /** Reads a stream that has no end until something has come. */
  async begin(path: string): Promise<void> {
    const response = await fetch(`${this.url}${path}`, { headers: { 'X-API-Key': this.key } })
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
  }

  /** Posts a task for the mock; returns its id. */
  async task(status: number, fields: Readonly<Record<string, unknown>>): Promise<string> {
    const task_id = `task-${++this.tasks}`
    const task = {
      task_id,
      session_id: task_id,
      workload: 'completion',
      engine: 'mock',
      ctx: 256,
      priority: 'interactive',
      seed: this.tasks,
      prompt: 'Once upon a time',
      max_tokens: 32,
      deadline_ms: 600_000,
      ...fields,
    }
    await this.expect(status, 'POST', '/v1/tasks', task)
    return task_id
  }

  /** Waits until an object reads as it should. */
  async until(path: string, fits: (body: Answer['body']) => boolean): Promise<void> {
    let last: Answer | undefined
    const end = Date.now() + patience_ms
    while (Date.now() < end) {
      last = await this.call('GET', path)
      if (last.status === 200 && fits(last.body)) return
      await sleep(20)
    }
    throw new Error(`GET ${path} is not as expected after ${patience_ms} ms: ${JSON.stringify(last)}`)
  }

  /** Waits until a task is in a state. */
  reaches(task_id: string, state: string): Promise<void> {
    return this.until(`/v1/tasks/${task_id}`, (task) => task['state'] === state)
  }

  /** The exposition text. */
  async scrape(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text()
  }
}
