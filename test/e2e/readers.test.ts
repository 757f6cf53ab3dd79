import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock, settled } from '../harness/fake-clock.ts'
import { call, post } from '../harness/http.ts'
import { readStream, StreamClient } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'
import { recordWrites } from '../harness/write-order.ts'

/** Enough text for megabytes of frames: more than the kernel's buffers take. */
const many = 80_000
const ctx = 1_000_000
const most_bytes = 256 * 1024

const megabytes = (fields: Record<string, unknown> = {}): ReturnType<typeof mockTask> => mockTask({ ctx, max_tokens: many, ...fields })

describe('readers of one task', () => {
  let daemon: TestDaemon
  let clock: FakeClock
  let responses: { path: string; res: ServerResponse }[]
  before(async () => {
    clock = new FakeClock()
    const still = mockPool({ id: 'still', model: 'mock:still', ctx, mock: { prefill_ms: 600_000 } })
    daemon = await startDaemon({ pools: [mockPool({ ctx, mock: { prefill_ms: 0, token_ms: 0, tokens: many } }), still] }, { clock })
    responses = []
    daemon.server.prependListener('request', (req, res: ServerResponse) => void responses.push({ path: req.url ?? '', res }))
  })
  after(() => daemon.stop())

  const open = (task_id: string): Promise<StreamClient> => StreamClient.open(daemon.url, task_id, keys.data)

  /** A reader that does not read, and the server's end of its connection. */
  async function stalledReader(task_id: string): Promise<{ client: StreamClient; res: ServerResponse }> {
    const client = await open(task_id)
    client.response.pause()
    const res = responses.findLast(({ path }) => path === `/v1/tasks/${task_id}/stream`)?.res
    assert.ok(res !== undefined)
    return { client, res }
  }

  it('fifty readers, before, while and after it runs, get identical bytes', async () => {
    const task = mockTask({ max_tokens: 2000, seed: 3 })
    await post(daemon.url, keys.data, task)
    const readers = await Promise.all(Array.from({ length: 20 }, () => open(task.task_id)))
    await readers[0]?.until(({ tokens }) => tokens.length > 0)
    readers.push(...(await Promise.all(Array.from({ length: 20 }, () => open(task.task_id)))))
    await readers[0]?.closed
    readers.push(...(await Promise.all(Array.from({ length: 10 }, () => open(task.task_id)))))
    await Promise.all(readers.map(({ closed }) => closed))
    assert.equal(readers.length, 50)
    assert.equal(new Set(readers.map(({ raw }) => raw)).size, 1)
    assert.equal(readers[0]?.tokens.length, 2000)
  })

  it('one that stalls costs at most 256 KiB and delays nobody, and later reads on to the end', async () => {
    const task = megabytes()
    await post(daemon.url, keys.data, task)
    const { client, res } = await stalledReader(task.task_id)
    const other = await open(task.task_id)
    let over = false
    let most = 0
    void other.closed.then(() => (over = true))
    await until(() => {
      most = Math.max(most, res.writableLength)
      return over
    })
    assert.equal(other.terminal?.event, 'end')
    assert.equal(other.tokens.length, many)
    assert.ok(res.writableNeedDrain, 'the reader was not stalled')
    assert.ok(most > 0 && most <= most_bytes, `${most} bytes were buffered`)
    assert.ok(client.raw.length < other.raw.length / 2)
    client.response.resume()
    await client.closed
    assert.equal(client.raw, other.raw)
  })

  it('one that comes late and stalls is not handed all there is at once', async () => {
    const task = megabytes()
    await post(daemon.url, keys.data, task)
    const whole = await readStream(daemon.url, task.task_id, keys.data)
    const { client, res } = await stalledReader(task.task_id)
    let most = 0
    await until(() => {
      most = Math.max(most, res.writableLength)
      return res.writableNeedDrain
    })
    // The kernel takes some more before it takes nothing.
    for (let turns = 0; turns < 200; turns++) {
      await settled()
      most = Math.max(most, res.writableLength)
    }
    assert.ok(res.writableNeedDrain, 'the reader was not stalled')
    assert.ok(most > 0 && most <= most_bytes, `${most} bytes were buffered`)
    client.response.resume()
    await client.closed
    assert.equal(client.raw, whole.raw)
  })

  it('many that come late are served a little in each turn of the event loop', async () => {
    const task = megabytes({ max_tokens: 30_000 })
    await post(daemon.url, keys.data, task)
    const whole = await readStream(daemon.url, task.task_id, keys.data)
    let inThisTurn = 0
    let most = 0
    let over = false
    const count = (_req: unknown, res: ServerResponse): void => {
      const write = res.write.bind(res) as (...args: unknown[]) => boolean
      res.write = (...args: unknown[]): boolean => {
        inThisTurn += String(args[0]).length
        return write(...args)
      }
    }
    const turn = (): void => {
      most = Math.max(most, inThisTurn)
      inThisTurn = 0
      if (!over) setImmediate(turn)
    }
    daemon.server.prependListener('request', count)
    turn()
    const clients = await Promise.all(Array.from({ length: 5 }, () => open(task.task_id)))
    await Promise.all(clients.map(({ closed }) => closed))
    over = true
    daemon.server.off('request', count)
    assert.ok(clients.every(({ raw }) => raw === whole.raw))
    assert.ok(most > 64 * 1024 && most <= 512 * 1024, `${most} characters in one turn`)
  })

  it('one that stalls while every character takes three bytes costs no more', async () => {
    const task = megabytes({ max_tokens: many, prompt: '橋' })
    await post(daemon.url, keys.data, task)
    const { client, res } = await stalledReader(task.task_id)
    await until(() => res.writableNeedDrain)
    const log = daemon.live.of('data', task.task_id)?.log
    assert.ok(log !== undefined)
    for (let i = 0; i < 100; i++) log.append({ kind: 'text', text: '橋'.repeat(20_000) })
    let turns = 0
    let most = 0
    await until(() => {
      most = Math.max(most, res.writableLength)
      return turns++ > 100
    })
    assert.ok(most <= most_bytes, `${most} bytes were buffered`)
    client.drop()
    assert.equal((await call(daemon.url, `/v1/tasks/${task.task_id}/cancel`, { method: 'POST', key: keys.data })).status, 204)
  })

  it('one that stalls gets no token written after the task was canceled', async () => {
    const writes = recordWrites(daemon.server)
    const task = megabytes()
    await post(daemon.url, keys.data, task)
    const { client, res } = await stalledReader(task.task_id)
    await until(() => res.writableNeedDrain)
    const before = client.tokens.length
    assert.equal((await call(daemon.url, `/v1/tasks/${task.task_id}/cancel`, { method: 'POST', key: keys.data })).status, 204)
    client.response.resume()
    await client.closed
    const answered = writes.findIndex(({ path, last }) => path.endsWith('/cancel') && last)
    const after = writes.slice(answered).filter(({ path }) => path.endsWith('/stream'))
    assert.ok(answered > 0 && after.length > 0)
    assert.ok(after.every(({ text }) => !text.includes('event: token')))
    assert.equal(client.terminal?.data?.['code'], 'CANCELED')
    assert.ok(client.tokens.length > before)
    assert.equal(client.frames.at(-1), client.terminal)
  })

  it('one that stalls at the very end is neither troubled by keep-alives nor a trouble', async () => {
    const task = mockTask({ ctx, model_ref: 'mock:still' })
    await post(daemon.url, keys.data, task)
    const { client, res } = await stalledReader(task.task_id)
    const log = daemon.live.of('data', task.task_id)?.log
    assert.ok(log !== undefined)
    // Until the kernel takes no more; the response itself would, so it counts as writable.
    while (res.writableLength === 0) {
      log.append({ kind: 'text', text: 'x'.repeat(4000) })
      await settled()
    }
    assert.ok(!res.writableNeedDrain)
    assert.equal((await call(daemon.url, `/v1/tasks/${task.task_id}/cancel`, { method: 'POST', key: keys.data })).status, 204)
    assert.ok(res.writableEnded && !res.writableFinished)
    for (let i = 0; i < 3; i++) await clock.advance(15_000)
    client.response.resume()
    await client.closed
    assert.equal(client.terminal?.data?.['code'], 'CANCELED')
    assert.equal(client.frames.at(-1), client.terminal)
    assert.deepEqual(
      daemon.lines.filter(({ level }) => level === 'error'),
      [],
    )
  })

  it('one that goes away stops nothing', async () => {
    const task = mockTask({ max_tokens: 5000, seed: 9 })
    await post(daemon.url, keys.data, task)
    const gone = await Promise.all(Array.from({ length: 10 }, () => open(task.task_id)))
    const stays = await open(task.task_id)
    await Promise.all(
      gone.map(async (client) => {
        await client.until(({ tokens }) => tokens.length > 0)
        client.drop()
      }),
    )
    await stays.closed
    assert.equal(stays.terminal?.event, 'end')
    assert.equal(stays.tokens.length, 5000)
  })

  it('the last one that goes away does not stop it either', async () => {
    const task = mockTask({ max_tokens: 3000 })
    await post(daemon.url, keys.data, task)
    const client = await open(task.task_id)
    await client.until(({ tokens }) => tokens.length > 0)
    client.drop()
    await until(() => daemon.live.size === 0)
    const replay = await readStream(daemon.url, task.task_id, keys.data)
    assert.equal(replay.tokens.length, 3000)
    assert.equal(replay.terminal?.event, 'end')
  })

  it('a task nobody reads runs to its end', async () => {
    const task = mockTask()
    await post(daemon.url, keys.data, task)
    await until(() => daemon.live.size === 0)
    await settled()
    assert.equal((await call(daemon.url, `/v1/tasks/${task.task_id}`, { key: keys.data })).json['state'], 'completed')
  })
})
