import assert from 'node:assert/strict'
import { keys, mockPool } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'
import { until, untilAnswer } from '../harness/wait.ts'
import { accepted, startStill, stream, type Still } from './pools.kit.ts'

describe('what a reader leaves behind through HTTP', () => {
  let daemon: Still
  before(async () => {
    daemon = await startStill({ pools: [mockPool({ mock: { prefill_ms: 1000, token_ms: 1000, tokens: 8 } })] })
  })
  after(() => daemon.stop())

  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      daemon.server.getConnections((error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      }),
    )
  const none = (count: number): boolean => count === 0
  const cancel = (task_id: string): Promise<unknown> => call(daemon.url, `/v1/tasks/${task_id}/cancel`, { method: 'POST', key: keys.data })

  it('is nothing: no timer, no socket, no follower, whether it leaves early, in the middle or at the end', async () => {
    const idle = daemon.clock.pending
    const task_id = await accepted(daemon)
    const running = daemon.clock.pending
    const readers = await Promise.all([1, 2, 3].map(() => stream(daemon, task_id)))
    // Metrics of the third second have waited for a token, and do so no more.
    await daemon.clock.advance(3250)
    await readers[0]?.until(({ tokens }) => tokens.length > 0)
    assert.ok(daemon.clock.pending > running, 'each has a timer that keeps its connection open')
    readers[0]?.drop()
    readers[1]?.drop()
    await until(() => daemon.clock.pending === running + 1, 'the timers of two readers to go')
    await cancel(task_id)
    await readers[2]?.closed
    await until(() => daemon.clock.pending === idle, 'the timers of the task and its last reader to go')
    await untilAnswer(connections, none, 'all sockets to close')
    assert.equal(daemon.live.size, 0)
    // A replay of what has ended.
    const late = await stream(daemon, task_id)
    await late.closed
    assert.equal(daemon.clock.pending, idle)
  })
})
