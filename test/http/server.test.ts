import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Handlers } from '../../src/handlers/handler.ts'
import { createApp, serverOf } from '../../src/http/server.ts'
import { operations } from '../../src/http/operations.ts'
import { FakeClock } from '../harness/fake-clock.ts'
import { call } from '../harness/http.ts'

describe('the HTTP side', () => {
  let server: Server
  let url: string
  let ready = false
  before(async () => {
    const handlers = Object.fromEntries([...operations.keys()].map((id) => [id, () => ({ status: 204 })])) as unknown as Handlers
    const app = createApp({
      ...{ handlers, clock: new FakeClock(), body_bytes: 300, door_body_bytes: 500, file_bytes: 1, connections_per_key: 9, strict: true },
      auth: { require_api_key: false, keys: [] },
      origins: ['https://page.example'],
      report: (error) => assert.fail(String(error)),
      isReady: () => ready,
      metrics: { contentType: 'text/plain', scrape: () => Promise.resolve('') },
    })
    server = serverOf(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  it('takes bodies as large as its limits say, of doors and of its own', async () => {
    const padded = (body: object, bytes: number): object => ({
      ...body,
      prompt: 'x'.repeat(bytes - JSON.stringify({ ...body, prompt: '' }).length),
    })
    for (const [path, limit, name, body] of [
      ['/v1/tasks', 300, 'body_bytes', { max_tokens: 1 }],
      ['/v1/completions', 500, 'door_body_bytes', { model: 'm' }],
    ] as const) {
      const post = (bytes: number) => call(url, path, { method: 'POST', body: padded(body, bytes) })
      assert.equal((await post(limit)).status, 204)
      const { status, text } = await post(limit + 1)
      assert.equal(status, 413)
      assert.match(text, new RegExp(`larger than limits\\.${name} \\(${limit}\\)`))
    }
  })

  it('is ready when tasks can be taken', async () => {
    for (const [state, status, word] of [
      [false, 503, 'not ready'],
      [true, 200, 'ready'],
    ] as const) {
      ready = state
      const answer = await call(url, '/readyz')
      assert.deepEqual([answer.status, answer.json['status']], [status, word])
    }
  })

  it('has pages of listed origins ask once in ten minutes whether they may', async () => {
    const headers = { Origin: 'https://page.example', 'Access-Control-Request-Method': 'POST' }
    const { headers: told } = await call(url, '/v1/tasks', { method: 'OPTIONS', headers })
    assert.equal(told['access-control-max-age'], '600')
  })
})
