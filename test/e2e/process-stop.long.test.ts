import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { mockPool, mockTask, patient, talesPool } from '../harness/daemon.ts'
import { call, post } from '../harness/http.ts'
import { DaemonProcess, temporaryDir, type ProcessOptions } from '../harness/process.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

const key = 'valid'
const mock = (token_ms: number): Record<string, unknown> =>
  mockPool({ replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 100 }, mock: { prefill_ms: 0, token_ms, tokens: 100 } })
/** Slow enough for the signal to come while a task runs, however slow the machine is. */
const slow = mock(300)
const fast = mock(2)

const story = (task_id: string, fields: Record<string, unknown> = {}): Record<string, unknown> & { task_id: string } =>
  mockTask({ task_id, session_id: task_id, seed: 11, max_tokens: 150, ...fields })

const tale = (task_id: string): Record<string, unknown> =>
  story(task_id, {
    engine: 'llamacpp',
    model_ref: 'file:models/tinytales.gguf',
    ctx: 256,
    prompt: undefined,
    messages: [{ role: 'user', content: 'Tell me a story about an owl.' }],
  })

describe('stopping the process', () => {
  let dir: ReturnType<typeof temporaryDir>
  let started: DaemonProcess[]
  const start = async (config: ProcessOptions['config'] & object): Promise<DaemonProcess> => {
    const daemon = await DaemonProcess.start(dir.path, { config })
    started.push(daemon)
    return daemon
  }
  beforeEach(() => {
    dir = temporaryDir()
    started = []
  })
  afterEach(async () => {
    for (const one of started) await one.stop('SIGKILL')
    dir.remove()
  })

  /** A reader of a new task that has seen its first tokens. */
  async function runningTask(daemon: DaemonProcess, task: Record<string, unknown>): Promise<StreamClient> {
    await post(daemon.url, key, task)
    const reader = await StreamClient.open(daemon.url, String(task['task_id']), key)
    await reader.until(({ tokens }) => tokens.length >= 3)
    return reader
  }

  it('comes when the shell is gone that npm runs it in, which passes no signal on', async () => {
    const prefix = ['sh', '-c', '"$@"; exit $?', 'sh']
    const daemon = await DaemonProcess.start(dir.path, { config: { pools: [fast] }, env: { npm_lifecycle_event: 'start' }, prefix })
    started.push(daemon)
    assert.deepEqual(await daemon.stop('SIGTERM'), { code: null, signal: 'SIGTERM' })
    assert.equal(daemon.lines.at(-1)?.['msg'], 'Stopped.')
  })

  it('ends at once at a second signal, and what ran is taken up by the next start', async () => {
    const daemon = await start({ pools: [slow], shutdown_grace_ms: 3_600_000 })
    const reader = await runningTask(daemon, story('t'))
    const from = daemon.lines.length
    process.kill(daemon.pid, 'SIGTERM')
    await daemon.line(({ event }) => event === 'stop', from)
    assert.deepEqual(await daemon.stop('SIGINT'), { code: 130, signal: null })
    await Promise.allSettled([reader.closed])
    const next = await start({ pools: [slow] })
    assert.equal((await call(next.url, '/v1/tasks/t', { key })).status, 200)
  })

  it('refuses new tasks with 503 while a running one finishes within the grace, then exits with 0', async () => {
    // Its task is canceled once everything was looked at: until then the daemon has something to wait for.
    const held = mockPool({ id: 'held', model: 'mock:held', mock: { prefill_ms: 600_000 }, timeouts: patient })
    const daemon = await start({ pools: [mock(10), held], shutdown_grace_ms: 600_000 })
    await post(daemon.url, key, story('held', { model_ref: 'mock:held' }))
    const reader = await runningTask(daemon, story('last'))
    const exit = daemon.stop()
    await daemon.line(({ event }) => event === 'stop')
    const refused = await call(daemon.url, '/v1/tasks', { method: 'POST', key, body: story('late') })
    assert.equal(refused.status, 503)
    assert.equal(refused.json['code'], 'POOL_UNREADY')
    assert.equal(refused.json['retriable'], true)
    assert.ok(Number(refused.headers['retry-after']) >= 1)
    assert.ok(Number(refused.headers['x-backoff-ms']) >= 1000)
    assert.equal((await call(daemon.url, '/readyz')).status, 503)
    assert.equal((await call(daemon.url, '/healthz')).status, 200)
    // Who follows the last task may also begin to do so now.
    const second = await StreamClient.open(daemon.url, 'last', key)
    await Promise.all([reader.closed, second.closed])
    assert.equal(reader.terminal?.event, 'end')
    assert.equal(reader.terminal.data?.['tokens_out'], 100)
    assert.equal(second.text, reader.text)
    assert.equal((await call(daemon.url, '/v1/tasks/held/cancel', { method: 'POST', key })).status, 204)
    assert.deepEqual(await exit, { code: 0, signal: null })
  })

  it('closes streams without a terminal frame when the grace is over; after a restart they go on where they stopped', async () => {
    const first = await start({ pools: [slow], shutdown_grace_ms: 0 })
    const reader = await runningTask(first, story('cut'))
    assert.deepEqual(await first.stop(), { code: 0, signal: null })
    await reader.closed.catch(() => undefined)
    assert.equal(reader.terminal, undefined)
    const second = await start({ pools: [fast] })
    const rest = await readStream(second.url, 'cut', key, reader.tokens.at(-1)?.id)
    assert.equal(rest.terminal?.event, 'end')
    assert.ok(rest.frames.every(({ event }) => event !== 'started'))
    await post(second.url, key, story('whole'))
    const whole = await readStream(second.url, 'whole', key)
    assert.equal(reader.text + rest.text, whole.text)
    assert.equal((await readStream(second.url, 'cut', key)).text, whole.text)
    const { json } = await call(second.url, '/v1/tasks/cut', { key })
    assert.equal(json['state'], 'completed')
    assert.equal(json['tokens_out'], 100)
  })

  it('does the same for the embedded model, also after a crash', async () => {
    const config = { pools: [talesPool()], shutdown_grace_ms: 0 }
    let daemon = await start(config)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const id = signal.toLowerCase()
      // Many, so that some are still running or queued when the signal comes.
      const ids = Array.from({ length: 6 }, (_, i) => `${id}-${i}`)
      await Promise.all(ids.slice(1).map((task_id) => post(daemon.url, key, tale(task_id))))
      const reader = await runningTask(daemon, tale(ids[0] ?? ''))
      await daemon.stop(signal)
      await reader.closed.catch(() => undefined)
      daemon = await start(config)
      const rest = reader.terminal === undefined ? await readStream(daemon.url, `${id}-0`, key, reader.tokens.at(-1)?.id) : undefined
      const texts = await Promise.all(ids.map(async (task_id) => (await readStream(daemon.url, task_id, key)).text))
      assert.equal(new Set(texts).size, 1)
      assert.equal(reader.text + (rest?.text ?? ''), texts[0])
    }
  })

  it('runs queued tasks after a restart, in the order they were accepted', async () => {
    const first = await start({ pools: [slow], shutdown_grace_ms: 0 })
    await runningTask(first, story('q0'))
    for (const task_id of ['q1', 'q2', 'q3']) await post(first.url, key, story(task_id, { max_tokens: 5 }))
    const waiting = await StreamClient.open(first.url, 'q3', key)
    await waiting.until(({ frames }) => frames.length > 0)
    assert.deepEqual(await first.stop(), { code: 0, signal: null })
    await waiting.closed.catch(() => undefined)
    assert.equal(waiting.terminal, undefined)
    const second = await start({ pools: [fast] })
    const streams = await Promise.all(['q0', 'q1', 'q2', 'q3'].map((task_id) => readStream(second.url, task_id, key)))
    assert.deepEqual(
      streams.map(({ tokens }) => tokens.length),
      [100, 5, 5, 5],
    )
    const listed = await call(second.url, '/v1/tasks', { key })
    const tasks = listed.json['tasks'] as { task_id: string; started_at: string; state: string }[]
    assert.deepEqual(
      [...tasks].sort((a, b) => a.started_at.localeCompare(b.started_at)).map(({ task_id }) => task_id),
      ['q0', 'q1', 'q2', 'q3'],
    )
  })

  it('loses nothing that was accepted when it is killed', async () => {
    const first = await start({ pools: [slow] })
    const ids = Array.from({ length: 30 }, (_, i) => `k${i}`)
    await Promise.all(ids.map((task_id) => post(first.url, key, story(task_id, { max_tokens: 3 }))))
    await first.stop('SIGKILL')
    const second = await start({ pools: [fast] })
    const streams = await Promise.all(ids.map((task_id) => readStream(second.url, task_id, key)))
    assert.ok(streams.every(({ frames }) => frames.filter(({ event }) => event === 'end').length === 1))
  })

  it('exits with 0 when it is stopped while engines are loading', async () => {
    const daemon = DaemonProcess.spawn(dir.path, { config: { pools: [talesPool(), mockPool({ mock: { load_ms: 60_000 } })] } })
    started.push(daemon)
    await daemon.line(({ event }) => event === 'start')
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null })
    assert.equal(daemon.stderr, '')
  })

  it('comes by itself, with 1, when the thread of the storage dies, and the next start takes up what is on disk', async () => {
    const env = { NODE_OPTIONS: `--require ${fileURLToPath(new URL('../fixtures/storage-dies.cjs', import.meta.url))}` }
    const daemon = await DaemonProcess.start(dir.path, { config: { pools: [slow] }, env })
    started.push(daemon)
    await post(daemon.url, key, story('t'))
    assert.deepEqual(await daemon.stop('SIGUSR2'), { code: 1, signal: null })
    assert.ok(daemon.lines.some(({ msg }) => String(msg).startsWith('The storage is lost')))
    const next = await start({ pools: [fast] })
    assert.equal((await readStream(next.url, 't', key)).terminal?.event, 'end')
  })

  it('takes SIGINT like SIGTERM', async () => {
    const daemon = await start({ pools: [mock(10)], shutdown_grace_ms: 600_000 })
    const reader = await runningTask(daemon, story('twice'))
    assert.deepEqual(await daemon.stop('SIGINT'), { code: 0, signal: null })
    await reader.closed
    assert.equal(reader.terminal?.event, 'end')
  })
})
