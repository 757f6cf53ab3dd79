import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call, post } from '../harness/http.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { readStream, StreamClient } from '../harness/sse.ts'

const hello = { prompt: 'Hello' }

describe('a task and its stream in one call', () => {
  const clock = new FakeClock()
  let daemon: TestDaemon
  before(async () => {
    const pools = [
      mockPool({ replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 1 }, mock: { prefill_ms: 100, token_ms: 10, tokens: 8 } }),
    ]
    const keep = { sessions: { budgets: { tokens: 100 } } }
    daemon = await startDaemon({ ...keep, pools }, { clock })
  })
  after(async () => {
    const stopped = daemon.stop()
    await clock.advance(1)
    await stopped
  })

  const open = (task: unknown = hello, accept?: string): Promise<StreamClient> => StreamClient.post(daemon.url, keys.data, task, accept)
  const idOf = ({ response }: StreamClient): string => String(response.headers.location).replace('/v1/tasks/', '')
  const state = async (id: string): Promise<unknown> => (await call(daemon.url, `/v1/tasks/${id}`, { key: keys.data })).json['state']
  const whole = async (client: StreamClient): Promise<StreamClient> => {
    await clock.advance(1000)
    await client.closed
    return client
  }

  it('says where the task is, and under which id it may be followed', async () => {
    const client = await open()
    const { headers } = client.response
    assert.equal(client.status, 200)
    assert.match(String(headers['content-type']), /^text\/event-stream/)
    assert.equal(headers['cache-control'], 'no-store')
    assert.match(String(headers.location), /^\/v1\/tasks\/[0-9a-f-]{36}$/)
    assert.match(String(headers['x-correlation-id']), /^[0-9a-f-]{36}$/)
    // All of it is reserved: the task may use it.
    assert.equal(headers['x-budget-tokens-remaining'], '0')
    await whole(client)
    assert.equal(client.frames.map(({ event }) => event).join(' '), `started ${'token '.repeat(8)}metrics end`)
    assert.deepEqual([client.terminal?.data?.['first_token_ms'], client.terminal?.data?.['tokens_out']], [100, 8])
    assert.equal((await readStream(daemon.url, idOf(client), keys.data)).raw, client.raw)
  })

  it('goes on without its reader, who comes back with the last id', async () => {
    const client = await open()
    await clock.advance(125)
    await client.until(({ tokens }) => tokens.length >= 3)
    client.drop()
    const id = idOf(client)
    await clock.advance(5)
    assert.equal(await state(id), 'running')
    await clock.advance(1000)
    assert.equal(await state(id), 'completed')
    const rest = await readStream(daemon.url, id, keys.data, client.tokens.at(-1)?.id)
    assert.deepEqual(
      [...client.tokens, ...rest.tokens].map(({ data }) => data?.['i']),
      [...Array(8).keys()],
    )
    assert.equal(client.text + rest.text, (await readStream(daemon.url, id, keys.data)).text)
  })

  it('sent again, follows the same task: while it runs and when it has ended', async () => {
    const task = { ...hello, task_id: 'again', seed: 3 }
    const first = await open(task)
    await clock.advance(115)
    const second = await open(task)
    assert.equal(second.response.headers.location, '/v1/tasks/again')
    await whole(first)
    await second.closed
    const third = await open(task)
    await third.closed
    assert.deepEqual([second.raw, third.raw], [first.raw, first.raw])
    const json = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: task })
    assert.deepEqual([json.status, json.json['task_id']], [202, 'again'])
  })

  it('is refused in JSON, with the status of the refusal', async () => {
    const running = await open()
    const waiting = await open()
    const full = await open()
    assert.deepEqual([running.status, waiting.status, full.status], [200, 200, 429])
    assert.match(String(full.response.headers['content-type']), /^application\/json/)
    assert.ok(Number(full.response.headers['retry-after']) >= 1)
    await whole(running)
    await waiting.closed
    const answers = [
      await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, headers: { Accept: 'text/event-stream' }, body: {} }),
      await call(daemon.url, '/v1/tasks', { method: 'POST', headers: { Accept: 'text/event-stream' }, body: hello }),
      await call(daemon.url, '/v1/tasks', {
        method: 'POST',
        key: keys.data,
        headers: { Accept: 'text/event-stream' },
        body: { ...hello, task_id: 'again' },
      }),
    ]
    assert.deepEqual(
      answers.map(({ status, json }) => `${status} ${String(json['code'])}`),
      ['400 INVALID_PARAMS', '401 UNAUTHENTICATED', '409 CONFLICT'],
    )
  })

  it('is a 202 to whoever does not ask for it', async () => {
    for (const Accept of ['*/*', 'application/json', 'text/event-stream;q=0', 'application/json, text/event-stream', '']) {
      const answer = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, headers: { Accept }, body: hello })
      assert.deepEqual([answer.status, answer.headers.location], [202, `/v1/tasks/${String(answer.json['task_id'])}`], Accept)
      await clock.advance(1000)
    }
    assert.equal((await fetch(`${daemon.url}/v1/tasks`, { method: 'HEAD', headers: { 'X-API-Key': keys.data } })).status, 405)
  })
})

describe('a task that says little', () => {
  it('waits as interactive work before batch work, and has its place in the queue', async () => {
    const clock = new FakeClock()
    const daemon = await startDaemon({ pools: [mockPool({ replicas: [{ id: 'r0', slots: 1 }], mock: { prefill_ms: 1000 } })] }, { clock })
    try {
      await post(daemon.url, keys.other, mockTask({ task_id: 'runs' }))
      await post(daemon.url, keys.other, mockTask({ task_id: 'nightly', priority: 'batch' }))
      const { task_id } = (await post(daemon.url, keys.data, hello)).json
      const queue = async (key: string): Promise<unknown[]> =>
        (await call(daemon.url, '/v1/pools/mock/queue', { key })).json['entries'] as unknown[]
      const names = async (key: string): Promise<unknown[]> =>
        (await queue(key)).map((entry) => (entry as Record<string, unknown>)['task_id'])
      assert.deepEqual(await names(keys.all), ['runs', task_id, 'nightly'])
      assert.deepEqual(await names(keys.data), [undefined, task_id, undefined])
    } finally {
      const stopped = daemon.stop()
      await clock.advance(1)
      await stopped
    }
  })

  it('is the same after a crash of the daemon: its stream, its 202 and its conflicts', async () => {
    const dir = temporaryDir()
    const config = {
      pools: [mockPool({ mock: { prefill_ms: 300, token_ms: 20, tokens: 12 } })],
      defaults: { deadline_ms: 60_000 },
    }
    try {
      const first = await DaemonProcess.start(dir.path, { config })
      const task = { ...hello, task_id: 'little' }
      const { json } = await post(first.url, 'valid', task)
      const client = await StreamClient.open(first.url, 'little', 'valid')
      await client.until(({ tokens }) => tokens.length >= 2)
      await first.stop('SIGKILL')
      // Another default by then does not make it another task.
      const second = await DaemonProcess.start(dir.path, { config: { ...config, defaults: { deadline_ms: 50_000 } } })
      try {
        const rest = await readStream(second.url, 'little', 'valid', client.tokens.at(-1)?.id)
        assert.equal(rest.terminal?.event, 'end')
        assert.deepEqual(
          [...client.tokens, ...rest.tokens].map(({ data }) => data?.['i']),
          [...Array(12).keys()],
        )
        assert.deepEqual((await post(second.url, 'valid', task)).json, json)
        const other = await call(second.url, '/v1/tasks', { method: 'POST', key: 'valid', body: { ...task, deadline_ms: 60_000 } })
        assert.equal(other.status, 409)
        const replay = await StreamClient.post(second.url, 'valid', task)
        await replay.closed
        assert.equal(replay.text, client.text + rest.text)
      } finally {
        await second.stop()
      }
    } finally {
      dir.remove()
    }
  })
})
