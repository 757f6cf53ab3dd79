import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { keys, mockTask, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { call, type Answer, type CallOptions } from '../harness/http.ts'

const config = /auth\.keys|ORCHD_API_KEYS/

/** The envelope every error has, with the correlation id of the response. */
function refusedWith(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json['code'], code)
  assert.equal(answer.json['retriable'], false)
  assert.ok(String(answer.json['message']).length > 0)
  assert.match(String(answer.headers['x-correlation-id']), /^[\x21-\x7e]{1,128}$/)
  assert.equal(answer.json['correlation_id'], answer.headers['x-correlation-id'])
  assert.match(String(answer.headers['content-type']), /^application\/json/)
}

/** Sends bytes over a connection of its own and returns all that comes back. */
async function exchange(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.end(bytes)
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk)
  return text
}

describe('with keys configured', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon()
  })
  after(() => daemon.stop())

  const ask = (options: CallOptions, path = '/v1/pools'): Promise<Answer> => call(daemon.url, path, options)

  it('lets in who sends one as X-API-Key or as Bearer', async () => {
    assert.equal((await ask({ key: keys.data })).status, 200)
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      assert.equal((await ask({ headers: { Authorization: `${scheme} ${keys.data}` } })).status, 200)
    assert.equal((await ask({ headers: { 'X-API-Key': '', Authorization: `Bearer ${keys.data}` } })).status, 200)
  })

  it('answers 401 without a key', async () => {
    for (const headers of [
      {},
      { 'X-API-Key': '' },
      { Authorization: 'Bearer' },
      { Authorization: 'Bearer ' },
      { Authorization: `Basic ${Buffer.from(`data:${keys.data}`).toString('base64')}` },
    ]) {
      const answer = await ask({ headers })
      refusedWith(answer, 401, 'UNAUTHENTICATED')
      assert.match(String(answer.json['message']), /X-API-Key/)
    }
  })

  it('answers 403 to a wrong key, whatever it looks like', async () => {
    for (const key of ['wrong', 'valid', keys.data.toUpperCase(), `${keys.data} x`, `${keys.data},${keys.data}`, 'x'.repeat(8000)])
      refusedWith(await ask({ key }), 403, 'FORBIDDEN')
    // The first of the two decides; a good one does not mend it.
    refusedWith(await ask({ key: 'wrong', headers: { Authorization: `Bearer ${keys.data}` } }), 403, 'FORBIDDEN')
  })

  it('takes no key from a query or a cookie', async () => {
    for (const name of ['key', 'api_key', 'apikey', 'access_token', 'X-API-Key', 'x-api-key', 'token'])
      refusedWith(await ask({}, `/v1/pools?${name}=${keys.data}`), 401, 'UNAUTHENTICATED')
    refusedWith(await ask({ headers: { Cookie: `X-API-Key=${keys.data}` } }), 401, 'UNAUTHENTICATED')
  })

  it('asks for a key before it says anything else', async () => {
    for (const path of ['/v1/tasks/none', '/nothing', '/v1/pools/none/health', '/admin', '/v1/tasks/%zz'])
      refusedWith(await ask({}, path), 401, 'UNAUTHENTICATED')
    refusedWith(await ask({ method: 'POST', headers: { 'Content-Type': 'text/plain' } }, '/v1/tasks'), 401, 'UNAUTHENTICATED')
    refusedWith(await ask({ method: 'DELETE' }, '/v1/tasks'), 401, 'UNAUTHENTICATED')
    refusedWith(await ask({ method: 'OPTIONS' }, '/v1/tasks'), 401, 'UNAUTHENTICATED')
  })

  it('asks for no key on the public pages', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const answer = await ask({}, path)
      assert.equal(answer.status, 200)
      assert.ok(answer.headers['x-correlation-id'])
    }
  })

  it('does not let a key with the role control alone use what needs data', async () => {
    const answer = await ask({ method: 'POST', key: keys.control, body: mockTask() }, '/v1/tasks')
    refusedWith(answer, 403, 'FORBIDDEN')
    assert.match(String(answer.json['message']), /createTask needs the role data/)
    for (const path of ['/v1/pools', '/v1/tasks', '/v1/capabilities', '/v1/artifacts', '/v1/tasks/none/stream'])
      refusedWith(await ask({ key: keys.control }, path), 403, 'FORBIDDEN')
    assert.equal((await ask({ method: 'POST', key: keys.all, body: mockTask() }, '/v1/tasks')).status, 202)
  })

  it('echoes a good correlation id and replaces a bad one', async () => {
    assert.equal((await ask({ headers: { 'X-Correlation-Id': 'mine-1' } })).json['correlation_id'], 'mine-1')
    for (const bad of ['', 'with space', 'x'.repeat(129), 'tab\there']) {
      const answer = await ask({ headers: { 'X-Correlation-Id': bad } })
      refusedWith(answer, 401, 'UNAUTHENTICATED')
      assert.match(String(answer.json['correlation_id']), /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
    }
  })

  it('has the envelope and the correlation id on every other error as well', async () => {
    const { data: key } = keys
    refusedWith(await ask({ key }, '/nothing'), 404, 'NOT_FOUND')
    refusedWith(await ask({ key }, '/v1/tasks/%zz'), 400, 'INVALID_PARAMS')
    refusedWith(await ask({ key, method: 'PUT' }, '/v1/tasks'), 405, 'INVALID_PARAMS')
    refusedWith(await ask({ key, method: 'POST', body: [] }, '/v1/tasks'), 400, 'INVALID_PARAMS')
    refusedWith(
      await ask({ key, method: 'POST', headers: { 'Content-Type': 'text/plain', 'Content-Length': '0' } }, '/v1/tasks'),
      400,
      'INVALID_PARAMS',
    )
  })

  it('has CORS off', async () => {
    const answer = await ask({ key: keys.data, headers: { Origin: 'https://page.example' } })
    assert.equal(answer.status, 200)
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    )
  })
})

describe('with no key configured', () => {
  let daemon: TestDaemon
  /** What the server takes for the peer's address. */
  let peer: string | undefined
  before(async () => {
    daemon = await startDaemon({ auth: {} })
    daemon.server.on('connection', (socket: Socket) => {
      if (peer !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: peer })
    })
  })
  beforeEach(() => {
    peer = undefined
  })
  after(() => daemon.stop())

  const ask = (headers: Record<string, string> = {}, key: string | undefined = 'valid'): Promise<Answer> =>
    call(daemon.url, '/v1/pools', { headers, ...(key === '' ? {} : { key }) })
  const port = (): string => new URL(daemon.url).port

  it('the development key works on this machine, under each of its names', async () => {
    assert.equal((await ask()).status, 200)
    assert.equal((await ask({ Authorization: 'Bearer valid' }, '')).status, 200)
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]', `localhost:${port()}`])
      assert.equal((await ask({ Host: host })).status, 200, host)
    for (const address of ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1']) {
      peer = address
      assert.equal((await ask()).status, 200, address)
    }
  })

  it('another key does not, nor does none', async () => {
    const wrong = await ask({}, 'guess')
    refusedWith(wrong, 403, 'FORBIDDEN')
    assert.match(String(wrong.json['message']), config)
    refusedWith(await ask({}, ''), 401, 'UNAUTHENTICATED')
  })

  it('it does not work from elsewhere', async () => {
    for (const address of ['192.0.2.1', '10.0.0.1', '::ffff:192.0.2.1', '::ffff:128.0.0.1', 'fe80::1', '2001:db8::1', '']) {
      peer = address
      const answer = await ask()
      refusedWith(answer, 403, 'FORBIDDEN')
      assert.match(String(answer.json['message']), config)
    }
  })

  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '192.0.2.1',
    '0.0.0.0',
    'localhost:1:2',
    'localhost@evil.example',
    '::1',
  ])
    it(`it does not work under the Host ${host}`, async () => {
      const answer = await ask({ Host: host })
      refusedWith(answer, 403, 'FORBIDDEN')
      assert.match(String(answer.json['message']), config)
    })

  it('it does not work without a Host', async () => {
    for (const head of ['GET /v1/pools HTTP/1.1\r\nHost: \r\nConnection: close', 'GET /v1/pools HTTP/1.0']) {
      const text = await exchange(daemon.url, `${head}\r\nX-API-Key: valid\r\n\r\n`)
      assert.match(text, /^HTTP\/1\.1 403 /)
      assert.match(text, /"code":"FORBIDDEN"/)
    }
  })

  for (const name of ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'x-forwarded-anything', 'X-Real-IP', 'Via'])
    it(`it does not work behind ${name}`, async () => {
      for (const value of ['127.0.0.1', 'for=127.0.0.1', '']) {
        const answer = await ask({ [name]: value })
        refusedWith(answer, 403, 'FORBIDDEN')
        assert.match(String(answer.json['message']), config)
      }
    })

  it('it works from a page of the same origin and from no other', async () => {
    assert.equal((await ask({ Origin: daemon.url })).status, 200)
    assert.equal((await ask({ Host: `localhost:${port()}`, Origin: `http://localhost:${port()}` })).status, 200)
    for (const origin of [
      'http://evil.example',
      'null',
      '',
      `https://127.0.0.1:${port()}`,
      'http://127.0.0.1:1',
      'http://127.0.0.1',
      `http://localhost:${port()}`,
      `${daemon.url}.evil.example`,
      `${daemon.url}/`,
    ])
      refusedWith(await ask({ Origin: origin }), 403, 'FORBIDDEN')
  })
})
