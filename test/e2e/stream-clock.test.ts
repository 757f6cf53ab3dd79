import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { call, post } from '../harness/http.ts'
import { StreamClient } from '../harness/sse.ts'

/** Tokens take a quarter of a second; one task at a time. */
const pool = mockPool({
  replicas: [{ id: 'r0', slots: 1 }],
  mock: { prefill_ms: 500, token_ms: 250, tokens: 400 },
  timeouts: { wall_ms: 86_400_000 },
})

describe('what a stream says while time goes by', () => {
  let daemon: TestDaemon
  let clock: FakeClock
  before(async () => {
    clock = new FakeClock()
    daemon = await startDaemon({ pools: [pool] }, { clock })
  })
  afterEach(async () => {
    for (const { accepted } of daemon.live.all())
      await call(daemon.url, `/v1/tasks/${accepted.task_id}/cancel`, { method: 'POST', key: keys.data })
    await settled()
  })
  after(() => daemon.stop())

  const metricsOf = (client: StreamClient): Record<string, unknown>[] =>
    client.frames.flatMap(({ event, data }) => (event === 'metrics' && data !== undefined ? [data] : []))

  /** Moves time on by one second and waits until the reader has its next metrics frame. */
  async function second(client: StreamClient): Promise<Record<string, unknown>> {
    const had = metricsOf(client).length
    await clock.advance(1000)
    await client.until((one) => metricsOf(one).length > had)
    assert.equal(metricsOf(client).length, had + 1)
    return metricsOf(client).at(-1) ?? {}
  }

  async function opened(fields: Record<string, unknown>): Promise<StreamClient> {
    const task = mockTask(fields)
    await post(daemon.url, keys.data, task)
    const client = await StreamClient.open(daemon.url, task.task_id, keys.data)
    await client.until(({ frames }) => frames.length > 0)
    return client
  }

  it('metrics once a second while it decodes, with the tokens of that second before them', async () => {
    const client = await opened({ max_tokens: 20 })
    for (let n = 1; n <= 4; n++) {
      const metrics = await second(client)
      assert.equal(metrics['phase'], 'decoding')
      assert.equal(metrics['replica_id'], 'r0')
      assert.equal(metrics['queue_position'], 0)
      assert.equal(metrics['predicted_start_ms'], 0)
      assert.equal(metrics['pool_id'], 'mock')
    }
    await clock.advance(5000)
    await client.closed
    assert.deepEqual(
      client.frames.slice(-2).map(({ event }) => event),
      ['metrics', 'end'],
    )
    assert.equal(client.tokens.length, 20)
    assert.equal(client.terminal?.data?.['first_token_ms'], 500)
    assert.equal(client.terminal.data['decode_ms'], 19 * 250)
    assert.equal(client.terminal.data['decode_ms'], 19 * 250)
    assert.equal(client.terminal.data['queue_ms'], 0)
  })

  it('metrics once a second while it waits, with its place in the queue', async () => {
    await opened({ max_tokens: 20 })
    await opened({ max_tokens: 20 })
    const client = await opened({ max_tokens: 20 })
    assert.equal(client.frames[0]?.data?.['queue_position'], 1)
    const metrics = await second(client)
    assert.equal(metrics['phase'], 'queued')
    assert.equal(metrics['queue_position'], 1)
    assert.equal(metrics['queue_depth'], 2)
    assert.equal(metrics['replica_id'], undefined)
    assert.ok(Number(metrics['on_time_probability']) >= 0 && Number(metrics['on_time_probability']) <= 1)
    await clock.advance(4500)
    const later = await second(client)
    assert.equal(later['phase'], 'queued')
    assert.equal(later['queue_position'], 0)
    assert.equal(later['queue_depth'], 1)
    await clock.advance(10_000)
    await client.closed
    assert.equal(client.terminal?.event, 'end')
    assert.equal(client.terminal.data?.['queue_ms'], 2 * (500 + 19 * 250))
  })

  it('metrics frames have no id, and a reader that comes later gets only the newest', async () => {
    const client = await opened({ max_tokens: 300 })
    await second(client)
    await second(client)
    const newest = await second(client)
    assert.ok(client.frames.every(({ event, id }) => (event === 'metrics') === (id === undefined)))
    const task_id = [...daemon.live.all()][0]?.accepted.task_id ?? ''
    const late = await StreamClient.open(daemon.url, task_id, keys.data)
    await late.until((one) => metricsOf(one).length > 0)
    assert.deepEqual(metricsOf(late), [newest])
    assert.equal(late.frames.at(-1)?.event, 'metrics')
    assert.equal(late.text, client.text)
  })

  it('a keep-alive comment every 15 seconds, to each reader from when it came', async () => {
    const comments = (client: StreamClient): number => client.frames.filter(({ comment }) => comment === 'keep-alive').length
    const first = await opened({ max_tokens: 400 })
    await clock.advance(7000)
    const second = await StreamClient.open(daemon.url, [...daemon.live.all()][0]?.accepted.task_id ?? '', keys.data)
    await second.until(({ frames }) => frames.length > 0)
    for (const [ms, ...expected] of [
      [7999, 0, 0],
      [1, 1, 0],
      [6999, 1, 0],
      [1, 1, 1],
      [8000, 2, 1],
      [7000, 2, 2],
    ] as const) {
      await clock.advance(ms)
      await first.until((client) => comments(client) >= expected[0])
      await second.until((client) => comments(client) >= expected[1])
      assert.deepEqual([comments(first), comments(second)], expected)
    }
    second.drop()
    await clock.advance(100_000)
    await first.closed
    assert.equal(first.tokens.length, 400)
    assert.equal(first.frames.at(-1)?.event, 'end')
  })
})
