import assert from 'node:assert/strict'
import { untilAnswer } from '../harness/wait.ts'

/** A batch as the wire shows it. */
export interface BatchView {
  readonly id: string
  readonly status: string
  readonly created_at: number
  readonly in_progress_at: number | null
  readonly expires_at: number
  readonly output_file_id: string | null
  readonly error_file_id: string | null
  readonly errors: { readonly data: readonly { readonly code: string; readonly line: number | null; readonly message: string }[] } | null
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number }
}

/** A line of a results file. */
export interface ResultLine {
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: Readonly<Record<string, unknown>> } | null
  readonly error: { readonly code: string } | null
}

/** A line of a batch that completes a text. */
export const lineOf = (n: number, body: object = {}): object => ({
  custom_id: `line-${n}`,
  method: 'POST',
  url: '/v1/completions',
  body: { model: 'mock:v1', prompt: `Number ${n}`, max_tokens: 4, seed: n, ...body },
})

export const jsonl = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

/** A client of files and batches. */
export class BatchClient {
  private readonly base: () => string
  private readonly key: string

  constructor(base: () => string, key: string) {
    this.base = base
    this.key = key
  }

  call(path: string, method = 'GET', body?: object | FormData): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.key}` }
    if (body !== undefined && !(body instanceof FormData)) headers['Content-Type'] = 'application/json'
    const sent = body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }
    return fetch(`${this.base()}${path}`, { method, headers, ...sent })
  }

  async json<T>(path: string, method = 'GET', body?: object | FormData): Promise<T> {
    const answer = await this.call(path, method, body)
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text) as T
  }

  form(content: string | Uint8Array<ArrayBuffer>, purpose = 'batch'): FormData {
    const form = new FormData()
    form.set('file', new Blob([content]), 'lines.jsonl')
    form.set('purpose', purpose)
    return form
  }

  async upload(content: string): Promise<string> {
    return (await this.json<{ id: string }>('/v1/files', 'POST', this.form(content))).id
  }

  async create(lines: readonly object[], endpoint = '/v1/completions'): Promise<BatchView> {
    const input_file_id = await this.upload(jsonl(lines))
    return this.json('/v1/batches', 'POST', { input_file_id, endpoint, completion_window: '24h' })
  }

  batch(id: string): Promise<BatchView> {
    return this.json(`/v1/batches/${id}`)
  }

  /** Waits until the batch is over. */
  async over(id: string): Promise<BatchView> {
    return this.when(id, ({ status }) => ['completed', 'failed', 'expired', 'cancelled'].includes(status))
  }

  /** Waits until the batch is as it should be. */
  when(id: string, fits: (batch: BatchView) => boolean): Promise<BatchView> {
    return untilAnswer(() => this.batch(id), fits)
  }

  async content(file_id: string | null): Promise<ResultLine[]> {
    if (file_id === null) return []
    const text = await (await this.call(`/v1/files/${file_id}/content`)).text()
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as ResultLine]))
  }
}
