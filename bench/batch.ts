import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, quantile, rounded, type Section } from './section.ts'
import { startOptions, startServer } from './server.ts'

const headers = { Authorization: 'Bearer valid' }
const question = 'Tell me of the sea and its ships. '.repeat(20)
const chat = (n: number): object => ({
  model: 'mock:v1',
  messages: [{ role: 'user', content: `${n}: ${question}` }],
  max_tokens: 16,
  seed: n,
})

/** Pause between two interactive requests, ms. */
const pause_ms = 50

/** What the daemon needs while it works a batch off, and what interactive requests notice of it. @param all the whole 50,000 lines */
export async function benchBatch(all: boolean): Promise<Section> {
  const lines = all ? 50_000 : 10_000
  const server = await startServer('batch-daemon', { execArgv: startOptions() })
  const call = async <T>(path: string, body?: FormData | object): Promise<T> => {
    const json = body instanceof FormData || body === undefined ? {} : { 'Content-Type': 'application/json' }
    const sent = body === undefined ? {} : { method: 'POST', body: body instanceof FormData ? body : JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { ...headers, ...json }, ...sent })
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }
  const latency = async (): Promise<number> => {
    const begin = performance.now()
    await call('/v1/chat/completions', chat(0))
    return performance.now() - begin
  }
  try {
    const alone: number[] = []
    for (let n = 0; n < 200; n++) alone.push(await latency())
    const form = new FormData()
    const line = (n: number): string =>
      `${JSON.stringify({ custom_id: `${n}`, method: 'POST', url: '/v1/chat/completions', body: chat(n) })}\n`
    form.set('file', new Blob(Array.from({ length: lines }, (_, n) => line(n))), 'lines.jsonl')
    form.set('purpose', 'batch')
    const { id: input_file_id } = await call<{ id: string }>('/v1/files', form)
    const wish = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' }
    const { id } = await call<{ id: string }>('/v1/batches', wish)
    const begin = performance.now()
    const beside: number[] = []
    const rss: { readonly done: number; readonly mib: number }[] = []
    for (;;) {
      beside.push(await latency())
      await sleep(pause_ms)
      const { status, request_counts } = await call<{ status: string; request_counts: { completed: number } }>(`/v1/batches/${id}`)
      rss.push({ done: request_counts.completed, mib: await server.rssMib() })
      if (status === 'completed') break
      if (!['validating', 'in_progress', 'finalizing'].includes(status)) throw new Error(`the batch is ${status}`)
    }
    const seconds = (performance.now() - begin) / 1000
    const most = (from: number, to: number): number =>
      Math.max(...rss.flatMap(({ done, mib }) => (done >= lines * from && done <= lines * to ? [mib] : [])))
    const [early, late] = [most(0, 0.2), most(0.8, 1)]
    return {
      title: `Batch: ${lines} lines on a mock that takes no time, beside one interactive request after the other; resident memory of the daemon, and what the interactive ones take, ms`,
      rows: [
        {
          ...{ lines_per_second: rounded(lines / seconds), rss_first_fifth_mib: rounded(early), rss_last_fifth_mib: rounded(late) },
          ...{ alone_p50_ms: rounded(quantile(alone, 0.5)), beside_p50_ms: rounded(quantile(beside, 0.5)) },
          ...{ beside_p99_ms: rounded(quantile(beside, 0.99)) },
        },
      ],
      goals: [
        atMost('resident memory, last fifth of the lines to the first', late / early, 1.3),
        atMost('MiB at most', most(0, 1), 320),
        atMost('an interactive request beside the batch to one alone, median', quantile(beside, 0.5) / quantile(alone, 0.5), 2),
      ],
    }
  } finally {
    await server.stop()
  }
}
