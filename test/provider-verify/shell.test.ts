import assert from 'node:assert/strict'
import { request as plain, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import request from 'supertest'
import { operations } from '../../generated/operations.ts'
import { operationIds, type Received } from '../harness/contract.ts'
import { keys, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { shellProblems, type ShellRules } from '../harness/shell-contract.ts'

interface Odd {
  readonly what: string
  readonly method?: string
  readonly path: string
  readonly status: number
  readonly code?: string
}

/** Answers that belong to no operation. */
const odd: readonly Odd[] = [
  { what: 'an unknown route', path: '/nothing', status: 404, code: 'NOT_FOUND' },
  { what: 'an unknown route with a method nobody has', method: 'PATCH', path: '/nothing', status: 404, code: 'NOT_FOUND' },
  { what: 'the root of the API', path: '/v1', status: 404, code: 'NOT_FOUND' },
  { what: 'two slashes', path: '//v1/pools', status: 404, code: 'NOT_FOUND' },
  { what: 'capitals', path: '/V1/pools', status: 404, code: 'NOT_FOUND' },
  { what: 'a percent sign and nothing', path: '/v1/tasks/%', status: 400, code: 'INVALID_PARAMS' },
  { what: 'a percent sign and no digits', path: '/v1/tasks/%zz/stream', status: 400, code: 'INVALID_PARAMS' },
  { what: 'bytes that are not UTF-8', path: '/v1/sessions/%c3%28', status: 400, code: 'INVALID_PARAMS' },
  { what: 'an encoded slash', path: '/v1/tasks/a%2Fb', status: 400, code: 'INVALID_PARAMS' },
  { what: 'an encoded NUL', path: '/v1/artifacts/%00', status: 400, code: 'INVALID_PARAMS' },
  { what: 'the folder above', path: '/v1/tasks/..', status: 400, code: 'INVALID_PARAMS' },
]

const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'] as const

const paths = [...new Set(operationIds.map((op) => operations[op].path))]

const allowed = (path: string): string[] =>
  operationIds.flatMap((op) => (operations[op].path === path ? [operations[op].method.toUpperCase()] : []))

describe('answers that belong to no operation', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  /** Sends a path as it is written, which supertest would tidy up. */
  async function send(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Received> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = plain(`${daemon.url}/`, { method, path, headers: { 'X-API-Key': keys.data, ...headers }, agent: false }, resolve)
      outgoing.on('error', reject).end()
    })
    return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) }
  }

  const check = (received: Received, given: string | undefined, rules?: ShellRules): void =>
    assert.deepEqual(shellProblems(received, given, rules), [])

  for (const { what, method = 'GET', path, status, code } of odd)
    it(`${status}: ${what}`, async () => {
      const received = await send(method, path)
      assert.equal(received.status, status)
      check(received, undefined)
      assert.equal((JSON.parse(received.text) as { code: unknown }).code, code)
    })

  for (const path of paths)
    it(`405: other methods of ${path}`, async () => {
      const allow = allowed(path)
      for (const method of methods.filter((one) => !allow.includes(one)))
        for (const slash of ['', '/']) {
          const received = await send(method, path.replace('{id}', 'some') + slash)
          assert.equal(received.status, 405, method)
          check(received, undefined, { allow, head: method === 'HEAD' })
        }
    })

  for (const given of ['a', 'x'.repeat(128), '~!"#{}', '3d5f1c1e-9a54-4b5e-8d4e-0f2a5a8f6c11'])
    it(`a correlation id that is well formed is echoed: ${given}`, async () => {
      for (const path of ['/nothing', '/v1/pools', '/v1/tasks/%', '/healthz'])
        check(await send('GET', path, { 'X-Correlation-Id': given }), given)
    })

  for (const given of ['', 'a b', 'x'.repeat(129), 'caf\u00e9', 'tab\there'])
    it(`a correlation id that is not is replaced: ${JSON.stringify(given)}`, async () => {
      for (const path of ['/nothing', '/v1/pools', '/v1/tasks/%', '/healthz'])
        check(await send('GET', path, { 'X-Correlation-Id': given }), given)
    })

  it('without a key nobody learns which routes there are', async () => {
    for (const path of ['/nothing', '/v1/tasks/%', '/v1/pools']) {
      const response = await request(daemon.url).get(path)
      check({ status: response.status, headers: response.headers, text: response.text }, undefined)
      assert.equal(response.status, 401)
    }
  })

  it('a body nested deeper than any stack is refused', async () => {
    for (const body of ['['.repeat(2_000_000), '{"a":'.repeat(500_000), `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`]) {
      const response = await request(daemon.url)
        .post('/v1/artifacts')
        .set({ 'X-API-Key': keys.data, 'Content-Type': 'application/json' })
        .send(body)
      check({ status: response.status, headers: response.headers, text: response.text }, undefined)
      assert.equal(response.status, 400)
    }
    const nested = `{"kind":"plan","content":"","tags":[],"metadata":${'{"a":'.repeat(300_000)}1${'}'.repeat(300_000)}}`
    const response = await request(daemon.url)
      .post('/v1/artifacts')
      .set({ 'X-API-Key': keys.data, 'Content-Type': 'application/json' })
      .send(nested)
    assert.equal(response.status, 400, response.text)
  })
})
