import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { openStorage } from '../../src/adapters/embedded/storage.ts'
import { finished, sampleOutcome, sampleTask } from '../conformance/storage.samples.ts'
import { keys, mockPool, mockTask, startDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call, post } from '../harness/http.ts'
import { DaemonProcess, temporaryDir } from '../harness/process.ts'
import { readStream } from '../harness/sse.ts'
import { until } from '../harness/wait.ts'

const hour_ms = 3_600_000

describe("a machine's clock that somebody sets", () => {
  it('moves no duration, and points in time follow it', () => {
    const at = { wall: 1_000_000, monotonic: 5000 }
    const clock = createSystemClock({ wall: () => at.wall, monotonic: () => at.monotonic })
    const began = clock.now()
    assert.equal(clock.wallOf(began), 1_000_000)
    for (const step of [-hour_ms, 3 * hour_ms, -hour_ms]) {
      at.wall += step + 10
      at.monotonic += 10
      assert.equal(clock.wallOf(clock.now()), at.wall)
      assert.equal(clock.wallOf(began), at.wall - (clock.now() - began))
    }
    assert.equal(clock.now() - began, 30)
  })

  it('has timers that come no earlier than they should, however late that is', () => {
    const timeouts = mock.method(globalThis, 'setTimeout')
    try {
      for (const delay_ms of [1000, 40 * 24 * hour_ms, Infinity]) createSystemClock().after(delay_ms, () => undefined)()
      // Node runs at once what is later than this.
      assert.deepEqual(
        timeouts.mock.calls.map(({ arguments: [, ms] }) => ms),
        [1000, 0x7fffffff, 0x7fffffff],
      )
    } finally {
      timeouts.mock.restore()
    }
  })

  it('starts no earlier than the newest stored time, and is followed again once it has passed that', () => {
    const at = { wall: 1_000_000, monotonic: 5000 }
    const clock = createSystemClock({ wall: () => at.wall, monotonic: () => at.monotonic })
    clock.startFrom(900_000)
    assert.equal(clock.now(), 1_000_000)
    clock.startFrom(1_000_000 + hour_ms)
    at.wall += 10
    at.monotonic += 10
    assert.deepEqual([clock.now(), clock.wallOf(clock.now())], [1_000_010 + hour_ms, 1_000_010 + hour_ms])
    at.wall += 2 * hour_ms
    assert.equal(clock.wallOf(clock.now()), at.wall)
    assert.equal(clock.now(), 1_000_010 + hour_ms)
  })

  it('while tasks run: accepted_at is on the new time, durations and deadlines are what they were', async () => {
    const clock = new FakeClock()
    const daemon = await startDaemon({ pools: [mockPool({ mock: { prefill_ms: 1000, token_ms: 0, tokens: 4 } })] }, { clock })
    try {
      for (const step of [-2 * hour_ms, 3 * hour_ms]) {
        const before = mockTask()
        await post(daemon.url, keys.data, before)
        await until(() => daemon.live.size === 1)
        clock.stepped_ms += step
        const after = mockTask({ deadline_ms: 60_000 })
        const { json } = await post(daemon.url, keys.data, after)
        assert.equal(Date.parse(String(json['accepted_at'])), clock.wallOf(clock.now()))
        await clock.advance(1000)
        await until(() => daemon.live.size === 0)
        for (const { task_id } of [before, after]) {
          const { terminal } = await readStream(daemon.url, task_id, keys.data)
          assert.deepEqual([terminal?.event, terminal?.data?.['queue_ms'], terminal?.data?.['first_token_ms']], ['end', 0, 1000])
          const { json: task } = await call(daemon.url, `/v1/tasks/${task_id}`, { key: keys.data })
          assert.equal(Date.parse(String(task['finished_at'])), clock.wallOf(clock.now()))
          assert.equal(Date.parse(String(task['started_at'])), clock.wallOf(clock.now()) - 1000)
        }
      }
    } finally {
      await daemon.stop()
    }
  })

  it('set back over a restart, comes after all that is stored: nothing has a negative duration', async () => {
    const dir = temporaryDir()
    const later = Date.now() + hour_ms
    const storage = await openStorage({ data_dir: `${dir.path}/data` })
    const task = { ...sampleTask('development', 'ended'), accepted_at: later }
    await storage.journal.commit([{ kind: 'accepted', task }])
    assert.equal(await storage.newest(), later)
    await storage.journal.commit([finished('development', 'ended', { ...sampleOutcome(), finished_at: later + 1000 })])
    assert.equal(await storage.newest(), later + 1000)
    const waiting = { ...sampleTask('development', 'waiting'), accepted_at: later + 900 }
    const { request } = waiting
    await storage.journal.commit([
      { kind: 'accepted', task: { ...waiting, pool_id: 'mock', request: { ...request, model_ref: 'mock:v1', engine: 'mock' } } },
    ])
    await storage.close()
    const daemon = await DaemonProcess.start(dir.path, { config: { pools: [mockPool()] } })
    try {
      const { json } = await post(daemon.url, 'valid', mockTask())
      const accepted_at = Date.parse(String(json['accepted_at']))
      assert.ok(accepted_at >= later + 1000 && accepted_at < later + hour_ms, String(json['accepted_at']))
      const { terminal } = await readStream(daemon.url, 'waiting', 'valid')
      assert.equal(terminal?.event, 'end', JSON.stringify(terminal))
      for (const name of ['queue_ms', 'first_token_ms', 'decode_ms']) assert.ok(Number(terminal.data?.[name]) >= 0, name)
    } finally {
      await daemon.stop()
      dir.remove()
    }
  })
})
