import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { keys, mockPool, mockTask, patient, startDaemon, type TestDaemon } from '../harness/daemon.ts'
import { inTime, until } from '../harness/wait.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe('requests as bytes', () => {
  let daemon: TestDaemon
  before(async () => {
    const slow = mockPool({ id: 'slow', model: 'mock:slow', mock: { prefill_ms: 600_000, tokens: 8 }, timeouts: patient })
    daemon = await startDaemon({ pools: [mockPool(), slow], doors: { linger_ms: 0 } })
  })
  after(() => daemon.stop())

  const socketTo = () => connect({ port: Number(new URL(daemon.url).port), host: '127.0.0.1', allowHalfOpen: true })

  /** Sends this, closes the sending side as `nc -N` does, and reads to the end. */
  async function halfClosed(bytes: string): Promise<string> {
    const socket = socketTo()
    socket.end(bytes)
    return inTime(text(socket), `the answer to ${bytes.slice(0, 80)}`)
  }

  /** Sends this, leaves the sending side open, and reads until the daemon closes. */
  async function refused(bytes: string): Promise<string> {
    const socket = socketTo()
    socket.on('error', () => undefined)
    socket.write(bytes)
    const answer = await inTime(text(socket), `the answer to ${bytes.slice(0, 80)}`)
    socket.destroy()
    return answer
  }

  const posted = (path: string, task: object, lines = '', version = '1.1'): string => {
    const body = JSON.stringify(task)
    return `POST ${path} HTTP/${version}\r\nHost: localhost\r\nX-API-Key: ${keys.data}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${lines}\r\n${body}`
  }

  /** Holds an answer to the envelope: its status, its text, one correlation id in both places. */
  function isRefusal(answer: string, status: number, message: RegExp): void {
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), answer)
    const { code, message: told, retriable, correlation_id } = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual([code, retriable], ['INVALID_PARAMS', status === 408])
    assert.match(String(told), message)
    assert.match(String(correlation_id), uuid)
    assert.match(head, new RegExp(`^X-Correlation-Id: ${String(correlation_id)}$`, 'im'))
    assert.match(head, /^Connection: close$/im)
    assert.match(head, /^Content-Type: application\/json; charset=utf-8$/im)
  }

  it('whose sender closes its side have their answer, also with HTTP/1.0', async () => {
    assert.match(await halfClosed('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'), /^HTTP\/1.1 200 [^]*"status":"ok"/)
    for (const version of ['1.0', '1.1']) {
      assert.match(await halfClosed(posted('/v1/tasks', mockTask(), '', version)), /^HTTP\/1.1 202 [^]*"task_id":/)
      const stream = await halfClosed(posted('/v1/tasks', mockTask(), 'Accept: text/event-stream\r\n', version))
      assert.match(stream, /^HTTP\/1.1 200 [^]*event: started[^]*event: end/)
      const chat = { model: 'mock', messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 }
      assert.match(await halfClosed(posted('/v1/chat/completions', chat, '', version)), /HTTP\/1.1 200 [^]*"finish_reason":/)
    }
    await until(() => daemon.live.size === 0)
  })

  it('are answered one after the other, where the sender closes its side after the last', async () => {
    const get = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
    assert.equal((await halfClosed(get.repeat(3))).split('HTTP/1.1 200').length, 4)
  })

  it('of a sender that is gone altogether run no further: a closed side is asked whether anybody is left', async () => {
    for (const accept of ['Accept: text/event-stream\r\n', '']) {
      const chat = { model: 'mock:slow', messages: [{ role: 'user', content: 'hi' }], max_tokens: 4, stream: accept !== '' }
      const socket = socketTo()
      socket.write(posted('/v1/chat/completions', chat, accept))
      await until(() => daemon.live.size === 1)
      socket.destroy()
      await until(() => daemon.live.size === 0, 'the task of a client that has gone to end')
    }
  })

  it('that the parser refuses have the envelope and a correlation id', async () => {
    isRefusal(await refused('FROB / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 400, /method/)
    isRefusal(await refused('GET / HTTP/9.9\r\nHost: localhost\r\n\r\n'), 400, /HTTP/)
    isRefusal(await refused(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), 431, /headers/)
    isRefusal(await refused('GET / HTTP/1.1\r\nHost: localhost\r\nX y: 1\r\n\r\n'), 400, /HTTP/)
    const both = `X-API-Key: ${keys.data}\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n`
    isRefusal(await refused(`POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\n${both}\r\n0\r\n\r\n`), 400, /framing|HTTP/)
    const chunked = `POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${keys.data}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    isRefusal(await refused(`${chunked}zz\r\n{}\r\n0\r\n\r\n`), 400, /HTTP/)
    isRefusal(await halfClosed(posted('/v1/tasks', mockTask()).slice(0, -5)), 400, /closed before/)
    isRefusal(await refused('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n'), 400, /CONNECT/)
  })

  it('that are whole have their answer where nonsense follows, and the connection closes behind it', async () => {
    const answer = await refused(`${posted('/v1/tasks', mockTask())}nonsense\r\n\r\n`)
    assert.match(answer, /^HTTP\/1.1 202 [^]*"task_id":/)
    assert.match(answer, /^Connection: close$/im)
    assert.equal(answer.split('HTTP/1.1 ').length, 2)
  })

  it('that take too long to come have the envelope and a correlation id', async () => {
    const socket = socketTo()
    socket.write('GET / HTTP/1.1\r\nHost: ')
    const taken = await inTime(new Promise<object>((resolve) => daemon.server.once('connection', resolve)), 'the connection to be taken')
    daemon.server.emit('clientError', Object.assign(new Error('timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), taken)
    isRefusal(await inTime(text(socket), 'the refusal'), 408, /took/)
  })

  it('without a Host or with a second one are a 400 that names it', async () => {
    for (const hosts of ['', 'Host: localhost\r\nHost: localhost\r\n', 'host: localhost\r\nX-A: b\r\nHOST: example.org\r\n'])
      for (const path of ['/healthz', '/v1/tasks', '/v1/chat/completions']) {
        const answer = await halfClosed(`GET ${path} HTTP/1.1\r\n${hosts}\r\n`)
        assert.match(answer, /^HTTP\/1.1 400 [^]*"message":"Host: /, answer)
        assert.match(answer, /^X-Correlation-Id: /m)
      }
    assert.match(await halfClosed('GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 /)
  })

  it('that expect what nobody knows are answered as any other', async () => {
    assert.match(await halfClosed('GET /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\n\r\n'), /^HTTP\/1.1 200 /)
  })
})
