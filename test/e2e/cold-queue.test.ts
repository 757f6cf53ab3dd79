import assert from 'node:assert/strict'
import { keys, mockPool, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call, post } from '../harness/http.ts'

const tokens = 60
const token_ms = 200
/** From the first token, which comes at once, to the last. */
const service_ms = (tokens - 1) * token_ms

const near = (told: number, real: number): void => assert.ok(Math.abs(told - real) <= 0.15 * real, `${told} was told, ${real} it is`)

/** A daemon of which nothing is known, with one slot and one place in its queue, and a first task that runs. */
async function coldDaemon(clock: FakeClock): Promise<TestDaemon> {
  const mock = { prefill_ms: 0, token_ms, tokens }
  const pools = [mockPool({ replicas: [{ id: 'r0', slots: 1 }], queue: { capacity: 1 }, mock })]
  const daemon = await startDaemon({ pools }, { clock })
  await post(daemon.url, keys.all, mockTask({ task_id: 'first', max_tokens: tokens }))
  await clock.advance(0)
  return daemon
}

describe('a cold daemon', () => {
  for (const passed_ms of [0, 100, 1000, 5000, 9000])
    it(`tells the second task when the first ends that has run for ${passed_ms} ms, and a refused one when to come again`, async () => {
      const clock = new FakeClock()
      const daemon = await coldDaemon(clock)
      try {
        await clock.advance(passed_ms)
        const left_ms = service_ms - passed_ms
        const second = await post(daemon.url, keys.all, mockTask({ task_id: 'second', max_tokens: tokens, deadline_ms: left_ms + 2000 }))
        near(Number(second.json['predicted_start_ms']), left_ms)
        const refused = await call(daemon.url, '/v1/tasks', { method: 'POST', key: keys.all, body: mockTask({ max_tokens: tokens }) })
        assert.equal(refused.status, 429)
        near(Number(refused.json['retry_after_ms']), left_ms)
        assert.equal(refused.headers['retry-after'], String(Math.ceil(Number(refused.json['retry_after_ms']) / 1000)))
        const { entries } = (await call(daemon.url, '/v1/pools/mock/queue', { key: keys.all })).json as {
          entries: Record<string, unknown>[]
        }
        const waits = entries.find(({ task_id }) => task_id === 'second')
        // It takes as long as the first, and has 2 s for it.
        assert.ok(Number(waits?.['on_time_probability']) < 0.1, JSON.stringify(waits))
        await clock.advance(left_ms)
        const { state } = (await call(daemon.url, '/v1/tasks/second', { key: keys.all })).json
        assert.equal(state, 'running', 'it starts when it was told')
      } finally {
        await daemon.stop()
      }
    })
})
