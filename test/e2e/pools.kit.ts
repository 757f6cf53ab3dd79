import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { keys, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call, post, type Answer } from '../harness/http.ts'
import type { Frame } from '../../cli/contract/frame.ts'
import { readStream, StreamClient } from '../harness/sse.ts'
import { until, untilAnswer } from '../harness/wait.ts'

export type Still = TestDaemon & { readonly clock: FakeClock }

/** A daemon on a clock that stands still; the clock is moved for it to stop. */
export async function startStill(given: Record<string, unknown>): Promise<Still> {
  const clock = new FakeClock()
  const daemon = await startDaemon(given, { clock })
  const stop = async (): Promise<void> => {
    const stopped = daemon.stop()
    await clock.advance(1)
    await stopped
  }
  return { ...daemon, clock, stop }
}

/** POSTs to one of a pool's control operations. */
export const control = (daemon: TestDaemon, path: string, body?: unknown, key: string = keys.control): Promise<Answer> =>
  call(daemon.url, `/v1/pools/${path}`, { method: 'POST', key, body })

export const drain = (daemon: TestDaemon, pool: string, deadline_ms = 60_000): Promise<Answer> =>
  control(daemon, `${pool}/drain`, { deadline_ms })
export const resume = (daemon: TestDaemon, pool: string): Promise<Answer> => control(daemon, `${pool}/resume`)
export const reload = (daemon: TestDaemon, pool: string, model_ref: string, deadline_ms = 60_000): Promise<Answer> =>
  control(daemon, `${pool}/reload`, { model_ref, deadline_ms })

/** Has a task accepted; its id. */
export async function accepted(daemon: TestDaemon, fields: Record<string, unknown> = {}): Promise<string> {
  const task = mockTask(fields)
  await post(daemon.url, keys.data, task)
  return task.task_id
}

export const stream = (daemon: TestDaemon, task_id: string): Promise<StreamClient> => StreamClient.open(daemon.url, task_id, keys.data)

/** Reads a task's stream to its end. */
export const read = (daemon: TestDaemon, task_id: string): Promise<StreamClient> => readStream(daemon.url, task_id, keys.data)

/** The terminal frame of a task. */
export const endOf = async (daemon: TestDaemon, task_id: string): Promise<Frame> => {
  const { terminal } = await read(daemon, task_id)
  assert.ok(terminal)
  return terminal
}

export const postTask = (daemon: TestDaemon, fields: Record<string, unknown> = {}, key: string = keys.data): Promise<Answer> =>
  call(daemon.url, '/v1/tasks', { method: 'POST', key, body: mockTask(fields) })

export const getTask = async (daemon: TestDaemon, task_id: string): Promise<Answer['json']> =>
  (await call(daemon.url, `/v1/tasks/${task_id}`, { key: keys.data })).json

/** Asks for the task until it is in this state. */
export const untilState = (daemon: TestDaemon, task_id: string, state: string): Promise<Answer['json']> =>
  untilAnswer(
    () => getTask(daemon, task_id),
    ({ state: now }) => now === state,
  )

/** What `listPools` says of a pool. */
export async function listed(daemon: TestDaemon, pool_id: string): Promise<Answer['json']> {
  const { json } = await call(daemon.url, '/v1/pools', { key: keys.data })
  const found = (json['pools'] as Answer['json'][]).find((pool) => pool['pool_id'] === pool_id)
  assert.ok(found)
  return found
}

export const health = async (daemon: TestDaemon, pool_id: string): Promise<Answer['json']> =>
  (await call(daemon.url, `/v1/pools/${pool_id}/health`, { key: keys.data })).json

/** Value of one sample in /metrics; undefined where there is none. */
export async function sample(daemon: TestDaemon, series: string): Promise<number | undefined> {
  const { text } = await call(daemon.url, '/metrics')
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

/** Children of this process whose command line has this. */
export async function childProcesses(running = ''): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  const own = rows.filter(([, ppid, ...args]) => Number(ppid) === process.pid && args[0] !== 'ps' && args.join(' ').includes(running))
  return own.map(([pid]) => Number(pid))
}

/** A 503 that says the pool takes nothing now. */
export function assertUnready({ status, headers, json }: Answer): void {
  assert.equal(status, 503)
  assert.equal(json['code'], 'POOL_UNREADY')
  assert.equal(json['retriable'], true)
  const backoff = Number(headers['x-backoff-ms'])
  assert.ok(backoff >= 1000 && backoff <= 600_000, `X-Backoff-Ms ${backoff}`)
  assert.equal(Number(headers['retry-after']), Math.ceil(backoff / 1000))
  assert.equal(json['retry_after_ms'], backoff)
}

/** Every frame is there, in order, once: the indices count up and a terminal frame ends it. */
export function assertWhole(client: StreamClient): void {
  const { frames, tokens, terminal } = client
  assert.equal(frames[0]?.event, 'started')
  assert.deepEqual(
    tokens.map(({ data }) => data?.['i']),
    tokens.map((_, i) => i),
  )
  assert.equal(frames.filter(({ id }) => id === 'end').length, 1)
  assert.equal(frames.at(-1), terminal)
}

/** Value of `model_state` of a model; undefined where the state was never seen. */
export const modelState = (daemon: TestDaemon, model: string, state: 'loaded' | 'unloaded'): Promise<number | undefined> =>
  sample(daemon, `model_state{model_id="${model}",state="${state}"}`)

const starts = (daemon: TestDaemon, pool: string): number =>
  daemon.lines.filter(({ fields }) => fields['event'] === 'replica' && fields['pool_id'] === pool && fields['state'] === 'ready').length

/** Begins a reload and waits until the new model proves itself. */
export async function proving(
  daemon: TestDaemon,
  pool: string,
  model_ref: string,
  deadline_ms?: number,
): Promise<{ readonly answer: Promise<Answer> }> {
  const before = starts(daemon, pool)
  const answer = reload(daemon, pool, model_ref, deadline_ms)
  await until(() => starts(daemon, pool) > before)
  return { answer }
}

/**
 * Makes the engine of a pool's first replica hold back the end of each answer until the returned function is called or the task is aborted,
 * so that a task runs for as long as a test looks at it.
 */
export function holdAnswers(daemon: TestDaemon, pool_id: string): () => void {
  const held = Promise.withResolvers<undefined>()
  const { engine } = daemon.pools.get(pool_id).replicas[0]!
  const generate = engine.generate.bind(engine)
  engine.generate = async (request, onPiece, signal) => {
    const result = await generate(request, onPiece, signal)
    // What an engine runs when it comes up, for no session, is no answer.
    if (!signal.aborted && request.session !== '') await Promise.race([held.promise, once(signal, 'abort')])
    signal.throwIfAborted()
    return result
  }
  return () => held.resolve(undefined)
}
