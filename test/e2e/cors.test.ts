import assert from 'node:assert/strict'
import { checkConfig } from '../../src/config/config.ts'
import { keys, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call, post, type Answer } from '../harness/http.ts'

const page = 'https://page.example'

describe('pages of listed origins', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ cors: { origins: [page, 'http://localhost:3000'] } })
  })
  after(() => daemon.stop())

  const preflight = (origin: string): Promise<Answer> =>
    call(daemon.url, '/v1/tasks', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-api-key,content-type' },
    })

  it('may ask beforehand, without a key', async () => {
    const answer = await preflight(page)
    assert.equal(answer.status, 204)
    assert.equal(answer.headers['access-control-allow-origin'], page)
    assert.match(String(answer.headers['access-control-allow-methods']), /POST/)
    assert.match(String(answer.headers['access-control-allow-headers']), /x-api-key/)
    assert.match(String(answer.headers.vary), /Origin/)
    assert.equal(answer.headers['access-control-allow-credentials'], undefined)
    assert.ok(answer.headers['x-correlation-id'])
  })

  it('may read answers and errors, and the headers that say when to come back', async () => {
    for (const key of [keys.data, 'wrong']) {
      const answer = await call(daemon.url, '/v1/pools', { key, headers: { Origin: page } })
      assert.equal(answer.status, key === keys.data ? 200 : 403)
      assert.equal(answer.headers['access-control-allow-origin'], page)
      assert.match(String(answer.headers['access-control-expose-headers']), /Retry-After.*X-Backoff-Ms.*X-Correlation-Id/)
    }
  })

  it('others are told nothing', async () => {
    for (const origin of [
      'https://other.example',
      'http://page.example',
      'https://page.example:444',
      'https://page.example.evil',
      'null',
    ]) {
      const asked = await preflight(origin)
      const answer = await call(daemon.url, '/v1/pools', { key: keys.data, headers: { Origin: origin } })
      for (const { headers } of [asked, answer]) assert.equal(headers['access-control-allow-origin'], undefined, origin)
    }
  })

  it('no key is needed for the question only', async () => {
    const answer = await call(daemon.url, '/v1/tasks', { method: 'POST', headers: { Origin: page }, body: mockTask() })
    assert.equal(answer.status, 401)
  })
})

describe('without required keys', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ auth: { require_api_key: false } })
  })
  after(() => daemon.stop())

  it('requests from this machine need none', async () => {
    await post(daemon.url, '', mockTask({ task_id: 'keyless' }))
    assert.equal((await call(daemon.url, '/v1/tasks/keyless')).status, 200)
  })

  it('others are refused, and so is a wrong key', async () => {
    for (const headers of [
      { Host: 'evil.example' },
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Via: '1.1 proxy' },
      { 'X-Forwarded-For': '192.0.2.1' },
    ]) {
      const answer = await call(daemon.url, '/v1/tasks/keyless', { headers })
      assert.equal(answer.status, 403)
      assert.match(String(answer.json['message']), /auth\.keys/)
    }
    assert.equal((await call(daemon.url, '/v1/pools', { key: 'wrong' })).status, 403)
  })

  it('it is refused by the configuration unless bound to loopback', () => {
    const auth = { require_api_key: false }
    for (const listen of ['127.0.0.1:0', 'localhost:0', '[::1]:0', '127.1.2.3:80'])
      assert.equal(checkConfig({ listen, auth: { ...auth } }).auth.require_api_key, false)
    for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:0', 'example.org:0', '128.0.0.1:0'])
      assert.throws(() => checkConfig({ listen, auth: { ...auth } }), { name: 'ConfigError', message: /auth\.require_api_key/ })
  })
})
