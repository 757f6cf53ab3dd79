import assert from 'node:assert/strict'
import request from 'supertest'
import { keys, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { readStream } from '../harness/sse.ts'

describe('a task from post to end', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  it('streams started, tokens, metrics and end', async () => {
    const task = mockTask()
    await request(daemon.url).post('/v1/tasks').set('X-API-Key', keys.data).send(task).expect(202)
    const stream = await readStream(daemon.url, task.task_id, keys.data)
    const events = stream.frames.map(({ event }) => event)
    assert.deepEqual(events, ['started', ...Array.from({ length: 8 }, () => 'token'), 'metrics', 'end'])
    assert.equal(stream.terminal?.data?.['tokens_out'], 8)
    assert.equal(daemon.live.size, 0)
  })
})
