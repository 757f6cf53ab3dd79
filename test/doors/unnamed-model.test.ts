import assert from 'node:assert/strict'
import { keys, mockPool, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call } from '../harness/http.ts'

const messages = [{ role: 'user', content: 'Hello' }]

describe('a request that names no model, where one is served', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ pools: [mockPool()] })
  })
  after(() => daemon.stop())

  for (const [path, body] of [
    ['/v1/chat/completions', { messages, max_tokens: 3 }],
    ['/v1/completions', { prompt: 'Hello', max_tokens: 3 }],
    ['/v1/responses', { input: 'Hello', max_output_tokens: 3 }],
    ['/v1/messages', { messages, max_tokens: 3 }],
    ['/v1/embeddings', { input: 'Hello' }],
    ['/v1/rerank', { query: 'Hello', documents: ['a'] }],
  ] as const)
    it(`is told which one has answered at ${path}`, async () => {
      const { json } = await call(daemon.url, path, { method: 'POST', key: keys.data, body })
      assert.equal(json['model'], 'mock:v1')
      if (path !== '/v1/responses') return
      const stored = await call(daemon.url, `${path}/${String(json['id'])}`, { key: keys.data })
      assert.equal(stored.json['model'], 'mock:v1')
    })
})
