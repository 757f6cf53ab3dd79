import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { operations } from '../../src/http/operations.ts'
import { startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'

describe('the contracts, from the daemon itself', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  it('are served without a key', async () => {
    for (const name of ['orchestratord', 'openai', 'anthropic']) {
      const { status, json } = await call(daemon.url, `/openapi/${name}.json`)
      assert.deepEqual([status, json['openapi']], [200, '3.0.3'])
    }
    assert.equal((await call(daemon.url, '/openapi/other.json')).status, 401)
  })

  it('are a page that shows every operation and loads nothing from anywhere', async () => {
    const { status, headers, text } = await call(daemon.url, '/docs')
    assert.equal(status, 200)
    for (const [id, { path }] of operations) {
      assert.ok(text.includes(`-${id}"`), id)
      assert.ok(text.includes(`<code>${path}</code>`), path)
    }
    assert.doesNotMatch(text, /<script|<link|<img|src=|@import|url\(/)
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(text) ?? []
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; /)
    assert.ok(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`))
    assert.equal(headers['x-content-type-options'], 'nosniff')
  })

  it('has no link that leads nowhere', async () => {
    const { text } = await call(daemon.url, '/docs')
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    assert.deepEqual(
      [...text.matchAll(/href="#([^"]+)"/g)].flatMap(([, id]) => (ids.has(id) ? [] : [id])),
      [],
    )
  })
})
