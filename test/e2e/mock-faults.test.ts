import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { call, post, type Answer } from '../harness/http.ts'
import { readStream, StreamClient } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'
import { abort_ms, faults, idle_ms } from './mock-faults.kit.ts'

describe('an engine that goes wrong', () => {
  let daemon: TestDaemon
  let clock: FakeClock
  const start = async (fault: object, pool: Record<string, unknown> = {}, mock: Record<string, unknown> = {}): Promise<void> => {
    clock = new FakeClock()
    daemon = await startDaemon(
      { pools: [mockPool({ mock: { prefill_ms: 0, token_ms: 0, tokens: 8, fault, ...mock }, timeouts: { idle_ms, abort_ms }, ...pool })] },
      { clock },
    )
  }
  afterEach(() => daemon.stop())

  const health = async (): Promise<{ whole: Answer['json']; replicas: Record<string, unknown>[] }> => {
    const { json } = await call(daemon.url, '/v1/pools/mock/health', { key: keys.data })
    return { whole: json, replicas: json['replicas'] as Record<string, unknown>[] }
  }

  const run = async (fields: Record<string, unknown> = {}): Promise<StreamClient> => {
    const task = mockTask(fields)
    await post(daemon.url, keys.data, task)
    return readStream(daemon.url, task.task_id, keys.data)
  }

  /** A task on whose stream so many tokens have been seen; its engine has nothing more to say. */
  async function stuck(tokens: number, fields: Record<string, unknown> = {}): Promise<{ task_id: string; stream: StreamClient }> {
    const { task_id } = mockTask()
    await post(daemon.url, keys.data, mockTask({ ...fields, task_id }))
    const stream = await StreamClient.open(daemon.url, task_id, keys.data)
    await until(() => (daemon.live.of('data', task_id)?.attempts ?? 1) > 0)
    await stream.until((client) => client.tokens.length >= tokens)
    await settled()
    return { task_id, stream }
  }

  const slotsAreFree = (): Promise<void> =>
    until(() => daemon.pools.all().every(({ slotsBusy, running }) => slotsBusy === 0 && running.size === 0))

  for (const { kind, after_tokens, code, message, down, wait_ms } of faults)
    it(`${kind} after ${after_tokens} tokens: ${code}, and the next task runs`, async () => {
      await start({ kind, after_tokens, every: 2 }, {}, { replayable: false, continues: false })
      assert.equal((await run()).terminal?.event, 'end')
      const { task_id, stream } = await stuck(after_tokens)
      if (wait_ms > 0) {
        await clock.advance(wait_ms - 1)
        assert.equal(stream.terminal, undefined)
        await clock.advance(1)
      }
      await stream.closed
      const data = stream.terminal?.data ?? {}
      assert.equal(data['code'], code)
      assert.equal(data['retriable'], true)
      assert.equal(data['pool_id'], 'mock')
      assert.equal(data['engine'], 'mock')
      assert.match(String(data['message']), message)
      assert.deepEqual(
        stream.frames.map(({ event }) => event).filter((event) => event !== 'metrics' && event !== undefined),
        ['started', ...Array.from({ length: after_tokens }, () => 'token'), 'error'],
      )
      const task = (await call(daemon.url, `/v1/tasks/${task_id}`, { key: keys.data })).json
      assert.equal(task['state'], 'failed')
      assert.equal((task['error'] as Record<string, unknown>)['code'], code)
      assert.equal(task['tokens_out'], after_tokens)
      await slotsAreFree()
      assert.equal(daemon.live.size, 0)
      const after = await health()
      if (down === undefined)
        assert.deepEqual([after.whole['ready'], after.whole['last_error'], after.replicas[0]?.['restarts']], [true, undefined, 0])
      else {
        assert.deepEqual(
          [after.whole['ready'], after.whole['live'], after.replicas[0]?.['state'], after.replicas[0]?.['restart_in_ms']],
          [false, false, 'down', 250],
        )
        assert.match(String(after.whole['last_error']), down)
        assert.match(String(after.replicas[0]?.['last_error']), down)
        await clock.advance(250)
        const again = await health()
        assert.deepEqual([again.whole['ready'], again.replicas[0]?.['state'], again.replicas[0]?.['restarts']], [true, 'ready', 1])
      }
      const next = await run()
      assert.equal(next.terminal?.event, 'end')
      assert.equal(next.tokens.length, 8)
    })

  for (const kind of ['fail', 'die'] as const)
    for (const after_tokens of [0, 3, 7])
      it(`${kind} after ${after_tokens} tokens: the task goes on where it stopped where the engine gives the same text again`, async () => {
        await start({ kind, after_tokens, every: 3 })
        const whole = await run({ seed: 5 })
        await run()
        const { stream } = await stuck(after_tokens, { seed: 5 })
        if (kind === 'die') {
          // Its start is written to a real disk before the engine is called.
          await until(() => daemon.pools.all().every(({ live }) => !live))
          await clock.advance(250)
        }
        await stream.closed
        assert.equal(stream.terminal?.event, 'end')
        assert.equal(stream.text, whole.text)
        assert.deepEqual(stream.tokens, whole.tokens)
        await slotsAreFree()
      })

  it('fail before the first token is tried again, and the reader sees nothing of it', async () => {
    await start({ kind: 'fail', after_tokens: 0, every: 2 })
    for (let i = 0; i < 5; i++)
      assert.deepEqual(
        (await run()).frames.map(({ event }) => event),
        ['started', ...Array.from({ length: 8 }, () => 'token'), 'metrics', 'end'],
      )
    assert.equal((await health()).replicas[0]?.['restarts'], 0)
  })

  it('fail before the first token three times is the end of it', async () => {
    await start({ kind: 'fail', after_tokens: 0, every: 1 })
    const { terminal } = await run()
    assert.equal(terminal?.data?.['code'], 'WORKER_RESET')
    assert.equal(terminal.data['retriable'], false)
    await slotsAreFree()
    const transcript = await call(daemon.url, `/v1/artifacts?kind=transcript`, { key: keys.data })
    const [{ id } = { id: '' }] = transcript.json['artifacts'] as { id: string }[]
    const content = JSON.parse(String((await call(daemon.url, `/v1/artifacts/${id}`, { key: keys.data })).json['content'])) as Record<
      string,
      unknown
    >
    assert.equal(content['attempts'], 3)
  })

  it('die before the first token moves the task to another replica', async () => {
    await start(
      { kind: 'die', after_tokens: 0, every: 2 },
      {
        replicas: [
          { id: 'r0', slots: 1 },
          { id: 'r1', slots: 1 },
        ],
      },
    )
    assert.equal((await run()).terminal?.data?.['replica_id'], 'r0')
    const second = await run()
    assert.equal(second.terminal?.event, 'end')
    assert.equal(second.terminal.data?.['replica_id'], 'r1')
    const { whole, replicas } = await health()
    assert.equal(whole['ready'], true)
    assert.deepEqual(
      replicas.map(({ state }) => state),
      ['down', 'ready'],
    )
  })

  it('die on every replica: the task waits, is given up after three attempts, and newcomers are told when to come back', async () => {
    await start(
      { kind: 'die', after_tokens: 0 },
      {
        replicas: [
          { id: 'r0', slots: 2 },
          { id: 'r1', slots: 2 },
        ],
      },
    )
    const { stream } = await stuck(0)
    await until(() => daemon.pools.all().every(({ live }) => !live))
    assert.ok(stream.frames.every(({ id }) => id !== 'end'))
    const refused = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.data, body: mockTask() })
    assert.equal(refused.status, 503)
    assert.equal(refused.json['code'], 'REPLICA_EXHAUSTED')
    assert.equal(refused.headers['retry-after'], '1')
    assert.equal(refused.headers['x-backoff-ms'], '1000')
    assert.equal((await call(daemon.url, '/readyz')).status, 503)
    await clock.advance(250)
    await stream.closed
    assert.deepEqual([stream.terminal?.data?.['code'], stream.terminal?.data?.['retriable']], ['WORKER_RESET', false])
  })

  it('replicas that die again and again are started ever later', async () => {
    await start({ kind: 'die', after_tokens: 1 }, {}, { replayable: false, continues: false })
    for (const delay of [250, 500, 1000, 2000]) {
      await run()
      assert.equal((await health()).replicas[0]?.['restart_in_ms'], delay)
      await clock.advance(delay - 1)
      assert.equal((await health()).replicas[0]?.['state'], 'down')
      await clock.advance(1)
      assert.equal((await health()).replicas[0]?.['state'], 'ready')
    }
  })

  it('a task that runs too long is stopped by the wall watchdog', async () => {
    await start({ kind: 'fail', every: 1_000_000 }, { timeouts: { wall_ms: 10_000, idle_ms } }, { token_ms: 3000, tokens: 100 })
    const { stream } = await stuck(1)
    await clock.advance(10_000)
    await stream.closed
    assert.equal(stream.terminal?.data?.['code'], 'DECODE_TIMEOUT')
    assert.match(String(stream.terminal.data['message']), /wall_ms \(10000\)/)
    assert.equal(stream.tokens.length, 4)
  })

  for (const kind of ['hang', 'deaf'] as const)
    it(`cancel of a task whose engine is ${kind === 'hang' ? 'silent' : 'deaf'} is answered at once; the slot is free when the engine has stopped`, async () => {
      await start({ kind, after_tokens: 2, every: 2 }, { replicas: [{ id: 'r0', slots: 1 }] })
      await run()
      const { task_id, stream } = await stuck(2)
      assert.equal((await call(daemon.url, `/v1/tasks/${task_id}/cancel`, { method: 'POST', key: keys.data })).status, 204)
      await stream.closed
      assert.equal(stream.terminal?.data?.['code'], 'CANCELED')
      const [pool] = daemon.pools.all()
      if (kind === 'deaf') {
        assert.equal(pool?.slotsBusy, 1)
        await clock.advance(abort_ms)
        assert.equal((await health()).replicas[0]?.['state'], 'down')
        await clock.advance(250)
      }
      await slotsAreFree()
      assert.equal((await run()).terminal?.event, 'end')
    })
})
