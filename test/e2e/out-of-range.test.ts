import assert from 'node:assert/strict'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'

describe('a number beyond all doubles', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  it('is a 400, and leaves no session behind', async () => {
    const tools = '[{"type":"function","function":{"name":"f","parameters":{"type":"object","maximum":1e400}}}]'
    const response = await fetch(`${daemon.url}/v1/tasks`, {
      method: 'POST',
      headers: { 'X-API-Key': keys.data, 'Content-Type': 'application/json' },
      body: `{"task_id":"big-1","session_id":"big","messages":[{"role":"user","content":"a"}],"tools":${tools}}`,
    })
    assert.equal(response.status, 400)
    assert.match(await response.text(), /body: has a number that is out of range/)
    assert.equal((await call(daemon.url, '/v1/sessions/big', { key: keys.data })).status, 404)
  })
})
