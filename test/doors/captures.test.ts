import assert from 'node:assert/strict'
import { responseProblems } from '../harness/contract.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { isComplete } from '../harness/door-streams.ts'
import { captures, operationOf, replay, roomyPool, threadCapture } from './captures.kit.ts'

describe('what clients were seen to send', function () {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [roomyPool()] })
  })
  after(() => daemon.stop())

  for (const capture of captures.filter(({ name }) => name !== threadCapture))
    it(`${capture.name} is answered`, async () => {
      const received = await replay(daemon.url, capture, keys.data)
      assert.equal(received.status, 200, received.text)
      assert.deepEqual(responseProblems(operationOf(capture), received), [])
      if (capture.body?.['stream'] === true) assert.ok(isComplete(received.text), received.text.slice(-300))
    })

  it(`${threadCapture} is refused in the words that make its client send everything`, async () => {
    const capture = captures.find(({ name }) => name === threadCapture)
    assert.ok(capture)
    const received = await replay(daemon.url, capture, keys.data)
    assert.equal(received.status, 400)
    assert.deepEqual(responseProblems('createMessage', received), [])
    const { error } = JSON.parse(received.text) as { error: { details: unknown } }
    assert.deepEqual(error.details, { error_code: 'thread_unsupported_request', unsupported: ['thread'] })
  })

  it('and it is all of them: 118 requests, more than one of each kind of client', () => {
    assert.equal(captures.length, 118)
  })
})
